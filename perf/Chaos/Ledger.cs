using System.Collections.Concurrent;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>Everything that was posted and thrown in: what the books are balanced against.</summary>
internal sealed class Ledger(int seed)
{
    private readonly ConcurrentDictionary<string, PostedWebhook> byBody = new();
    private int next = -1;

    public ConcurrentDictionary<int, PostedWebhook> Webhooks { get; } = new();

    /// <summary>Texts that must each become one dead letter with the reason <c>unreadable</c>.</summary>
    public ConcurrentDictionary<string, bool> Unreadable { get; } = new();

    /// <summary>Ids of webhooks whose blob never existed: each must become one dead letter with the reason <c>blob-missing</c>.</summary>
    public ConcurrentDictionary<string, bool> WithoutBlob { get; } = new();

    /// <summary>Numbers of the webhooks that were put into the poison queue.</summary>
    public ConcurrentDictionary<int, bool> Poison { get; } = new();

    public ConcurrentDictionary<string, int> Answers { get; } = new();

    /// <summary>How many webhooks the clients got 200 for.</summary>
    public int Acknowledged { get; private set; }

    /// <summary>The longest that a client waited for a 200.</summary>
    public TimeSpan LongestAcknowledgement { get; private set; }

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

    public void Answered(PostedWebhook webhook, Post post, string answer, TimeSpan took)
    {
        Answers.AddOrUpdate(answer, 1, static (_, count) => count + 1);
        lock (byBody)
        {
            Acknowledged += answer == Post.Acknowledged && !webhook.WasAcknowledged ? 1 : 0;
            LongestAcknowledgement =
                answer == Post.Acknowledged && took > LongestAcknowledgement ? took : LongestAcknowledgement;
            post.Answer = answer;
        }
    }

    /// <summary>Notes a webhook that reached a queue without being posted: it must be stored as if it were acknowledged.</summary>
    public void ThrownIn(PostedWebhook webhook, byte[] body) => Try(webhook, body).Answer = Post.Acknowledged;

    /// <summary>The webhook that a body belongs to; null when nobody posted it.</summary>
    public PostedWebhook? Find(string bodyHash) => byBody.GetValueOrDefault(bodyHash);
}
