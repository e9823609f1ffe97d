using System.Net.Http.Headers;
using System.Text;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What came of a post.</summary>
/// <param name="Status">0 if no answer came.</param>
/// <param name="MayHaveArrived">True if no answer came, but the app may have read it.</param>
internal readonly record struct Posted(int Status, bool MayHaveArrived = false, string Body = "")
{
    public bool IsSuccess => Status is >= 200 and <= 299;
}

/// <summary>Posts bodies to a webhook's URL, over connections that stay open.</summary>
internal sealed class WebhookSender : IDisposable
{
    /// <summary>Until the head of the answer, by the machine's clock.</summary>
    private static readonly TimeSpan TimeOut = TimeSpan.FromSeconds(10);

    private readonly HttpClient client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public void Dispose() => client.Dispose();

    public async Task<Posted> PostAsync(Smtp2GoWebhook webhook, WebhookBody body, bool wantsAnswer, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, WithoutUser(webhook.Url))
        {
            Content = body.ToContent(webhook.OutputFormat),
        };
        request.Headers.Authorization = AuthorizationOf(webhook);
        using var timeOut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeOut.CancelAfter(TimeOut);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, timeOut.Token);

            // Read to the end, also where nobody looks at it: otherwise the connection cannot be used again.
            var text = await response.Content.ReadAsStringAsync(timeOut.Token);
            return new Posted((int)response.StatusCode, Body: wantsAnswer ? text : string.Empty);
        }
        catch (HttpRequestException e)
        {
            return new Posted(0, e.HttpRequestError != HttpRequestError.ConnectionError);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Posted(0, MayHaveArrived: true);
        }
    }

    private static Uri WithoutUser(Uri url) =>
        url.UserInfo.Length == 0 ? url : new UriBuilder(url) { UserName = string.Empty, Password = string.Empty }.Uri;

    private static AuthenticationHeaderValue? AuthorizationOf(Smtp2GoWebhook webhook) => webhook.AuthHeaderType switch
    {
        "basic" => new AuthenticationHeaderValue("Basic", webhook.AuthHeaderValue),
        "bearer" => new AuthenticationHeaderValue("Bearer", webhook.AuthHeaderValue),
        _ when webhook.Url.UserInfo.Length > 0 => new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(webhook.Url.UserInfo)))),
        _ => null,
    };
}
