using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Posts webhooks to an app as SMTP2GO does.</summary>
internal sealed class WebhookSender : IDisposable
{
    // As long as SMTP2GO waits.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    // SMTP2GO follows no redirects, and a password must not follow one either.
    private readonly HttpClient client = new(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = Timeout };
    private readonly Uri url;

    public WebhookSender(Uri url, string? user, string? password)
    {
        this.url = url;
        if (password is { Length: > 0 })
        {
            var pair = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"));
            client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", pair);
        }
    }

    /// <exception cref="CommandFailedException">Nobody answered, or the answer was not 2xx.</exception>
    public async Task<HttpStatusCode> PostAsync(HttpContent content, CancellationToken cancellationToken)
    {
        try
        {
            using var answer = await client.PostAsync(url, content, cancellationToken);
            return answer.IsSuccessStatusCode ? answer.StatusCode : throw new CommandFailedException(Refused(answer.StatusCode));
        }
        catch (Exception e)
            when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new CommandFailedException(
                $"Nobody answered at {url.Scheme}://{url.Authority}. Start the app, or give its webhook URL with --to.");
        }
    }

    public void Dispose() => client.Dispose();

    private string Refused(HttpStatusCode status) => $"{url.Scheme}://{url.Authority} answered {(int)status}: " + status switch
    {
        HttpStatusCode.Unauthorized =>
            "the user name or password is missing or wrong. Give them in the URL, with --user and --password, or as Webhook__Username "
            + "and Webhook__Password.",
        HttpStatusCode.Forbidden => "this machine is not one of its Webhook__AllowedSources.",
        HttpStatusCode.NotFound => "the URL must end in /webhook/smtp2go.",
        HttpStatusCode.ServiceUnavailable => "it cannot reach its storage; try `smtp2go-ingest check`.",
        _ => "check the URL given with --to.",
    };
}
