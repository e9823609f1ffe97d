using System.Collections.Concurrent;

namespace Smtp2GoIngest.Chaos;

/// <summary>Everything that was posted and thrown in: what the books are balanced against.</summary>
/// <param name="seed">The seed of the webhooks.</param>
internal sealed class Ledger(int seed)
{
    private readonly ConcurrentDictionary<string, PostedWebhook> byBody = new();
    private int next = -1;

    public ConcurrentDictionary<int, PostedWebhook> Webhooks { get; } = new();

    /// <summary>Texts that must become dead letters with the reason <c>unreadable</c>, each once.</summary>
    public ConcurrentDictionary<string, bool> Unreadable { get; } = new();

    /// <summary>Ids of webhooks whose blob never was, which must become dead letters with the reason <c>blob-missing</c>, each once.</summary>
    public ConcurrentDictionary<string, bool> WithoutBlob { get; } = new();

    public ConcurrentDictionary<string, int> Answers { get; } = new();

    /// <summary>How many webhooks the clients got 200 for.</summary>
    public int Acknowledged { get; private set; }

    public PostedWebhook Next()
    {
        var webhook = PostedWebhook.Create(seed, Interlocked.Increment(ref next));
        Webhooks[webhook.Number] = webhook;
        return webhook;
    }

    public Post Try(PostedWebhook webhook, byte[] body)
    {
        var post = webhook.Try(body);
        byBody[post.BodyHash] = webhook;
        return post;
    }

    public void Answered(PostedWebhook webhook, Post post, string answer)
    {
        Answers.AddOrUpdate(answer, 1, static (_, count) => count + 1);
        lock (byBody)
        {
            Acknowledged += answer == Post.Acknowledged && !webhook.WasAcknowledged ? 1 : 0;
            post.Answer = answer;
        }
    }

    /// <summary>Notes a webhook that reached a queue without having been posted: it has to be stored as if it were acknowledged.</summary>
    public void ThrownIn(PostedWebhook webhook, byte[] body) => Try(webhook, body).Answer = Post.Acknowledged;

    /// <summary>The webhook that a body belongs to; null where nobody posted it.</summary>
    public PostedWebhook? Find(string bodyHash) => byBody.GetValueOrDefault(bodyHash);
}
