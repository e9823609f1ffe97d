using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Receiving;

/// <summary>Answers an HTTP request: runs the guards in order, and answers 200 only after the webhook is in the queue.</summary>
public sealed class WebhookReceiver(
    IOptions<WebhookOptions> settings,
    SourceAllowList sources,
    CallerAddress caller,
    WebhookAuthenticator authenticator,
    WebhookQueue queue,
    IngestMetrics metrics,
    RefusalReport report,
    TimeProvider time)
{
    /// <summary>The route of both webhook URLs.</summary>
    public const string Route = "webhook/{endpoint}";

    public const string HealthRoute = "health";

    private const string Endpoint = "smtp2go";
    private const string SecretPrefix = Endpoint + "_";

    private const string Uncompressed = "identity";

    // The queue trigger's retry delay: the same outage may affect both.
    private const string RetryAfterSeconds = "30";

    private readonly WebhookOptions options = settings.Value;

    /// <summary>Answers one request. The body is not read until the caller is known.</summary>
    /// <param name="endpoint">The route value of <see cref="Route"/>.</param>
    public async Task<IResult> ReceiveAsync(HttpRequest request, string endpoint)
    {
        var answer = await AnswerAsync(request, endpoint);
        RequestSpan.Describe(request.Method, Route, answer);
        return answer;
    }

    /// <summary>Says only that the process is up. Makes no call to storage.</summary>
    public static IResult Health() => TypedResults.Text("Healthy");

    private async Task<IResult> AnswerAsync(HttpRequest request, string endpoint)
    {
        var cancellationToken = request.HttpContext.RequestAborted;
        var started = time.GetTimestamp();
        var receivedAt = time.GetUtcNow();

        if (endpoint != Endpoint && !endpoint.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return Refuse(request, Refusal.UnknownPath);
        }

        // SMTP2GO checks that the URL answers before it accepts it. That request carries no secret.
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return TypedResults.Ok();
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            request.HttpContext.Response.Headers.Allow = "GET, HEAD, POST";
            return Refuse(request, Refusal.Method);
        }

        if (request.ContentLength > options.MaxBodyBytes)
        {
            return Refuse(request, Refusal.TooLarge);
        }

        if (request.Headers.ContentEncoding.ToString() is { Length: > 0 } encoding
            && !encoding.Equals(Uncompressed, StringComparison.OrdinalIgnoreCase))
        {
            request.HttpContext.Response.Headers.AcceptEncoding = Uncompressed;
            return Refuse(request, Refusal.Encoding);
        }

        if (await RefuseSourceAsync(request, cancellationToken) is { } refused)
        {
            return refused;
        }

        var authentication = authenticator.Authenticate(new PresentedSecrets(
            request.Headers.Authorization, request.Query["p"], PathSecret(request, endpoint)));
        if (authentication != AuthenticationResult.Accepted)
        {
            request.HttpContext.Response.Headers.WWWAuthenticate = "Basic realm=\"smtp2go\", charset=\"UTF-8\"";
            return Refuse(request, authentication == AuthenticationResult.Missing ? Refusal.NoSecret : Refusal.WrongSecret);
        }

        var (body, refusal) = await RequestBody.ReadAsync(request, options.MaxBodyBytes, cancellationToken);
        if (refusal is not null)
        {
            return Refuse(request, refusal);
        }

        if (WebhookBody.Check(body.Span) is var problem and not BodyProblem.None)
        {
            return Refuse(request, Refusal.Of(problem));
        }

        if (await TryEnqueueAsync(body, request.ContentType, receivedAt, cancellationToken) is { } failure)
        {
            return Refuse(
                request,
                Refusal.NotDurable,
                $"{failure}. SMTP2GO sends it again. Check the storage account and the app's access to it (EventStorage).",
                cancellationToken.IsCancellationRequested ? LogLevel.Warning : LogLevel.Error);
        }

        metrics.Received(time.GetElapsedTime(started));
        return TypedResults.Ok();
    }

    private async Task<IResult?> RefuseSourceAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (sources.IsEmpty)
        {
            return null;
        }

        var hops = CallerAddress.Hops(request);
        return await sources.DecideAsync(caller.Of(request.HttpContext), cancellationToken) switch
        {
            SourceDecision.Denied => Refuse(
                request,
                Refusal.Source,
                $"The address is not in Webhook__AllowedSources. X-Forwarded-For named {hops} hops and Webhook__TrustedProxies is "
                + $"{caller.TrustedProxies}."),
            SourceDecision.Undecided => Refuse(request, Refusal.SourceUndecided),
            _ => null,
        };
    }

    // Read from the raw target: a server does not decode %2F in a path, and a secret may contain it.
    private static string? PathSecret(HttpRequest request, string endpoint)
    {
        if (!endpoint.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return null;
        }

        var rawTarget = request.HttpContext.Features.Get<IHttpRequestFeature>()?.RawTarget;
        var target = rawTarget.AsSpan();
        var path = target.IndexOf('?') is var query and >= 0 ? target[..query] : target;
        var last = Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
        return (last.StartsWith(SecretPrefix, StringComparison.Ordinal) ? last : endpoint)[SecretPrefix.Length..];
    }

    /// <returns>What failed; null if the webhook is in the queue.</returns>
    private async Task<string?> TryEnqueueAsync(
        ReadOnlyMemory<byte> body, string? contentType, DateTimeOffset receivedAt, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.EnqueueTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await queue.EnqueueAsync(body, contentType, receivedAt, either.Token);
            return null;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            return $"It was not in the queue within {options.EnqueueTimeout} (Webhook__EnqueueTimeout)";
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return "The caller hung up before it was in the queue";
        }
        catch (Exception e)
        {
            // Whatever failed, even an identity that got no token, is on our side, and sending it again can help.
            return $"It could not be put into the queue: {StorageFailure.Describe(e)}";
        }
    }

    private ProblemHttpResult Refuse(HttpRequest request, Refusal refusal, string? hint = null, LogLevel level = LogLevel.Warning)
    {
        if (refusal.Status == StatusCodes.Status503ServiceUnavailable)
        {
            request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        metrics.Refused(refusal.Reason);
        report.Note(refusal.Reason, refusal.Status, hint ?? refusal.Title, level);
        return TypedResults.Problem(statusCode: refusal.Status, title: refusal.Title);
    }
}
