using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Receiving;

/// <summary>From an HTTP request to an answer: the guards in their order, and 200 only when the webhook is durable.</summary>
/// <param name="settings">The settings.</param>
/// <param name="sources">Which addresses may post.</param>
/// <param name="caller">Finds the caller's address.</param>
/// <param name="authenticator">Judges the secrets.</param>
/// <param name="queue">Makes a webhook durable.</param>
/// <param name="metrics">Counts what was received and what was refused.</param>
/// <param name="report">Warns of refusals.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Reports what could not be made durable.</param>
public sealed partial class WebhookReceiver(
    IOptions<WebhookOptions> settings,
    SourceAllowList sources,
    CallerAddress caller,
    WebhookAuthenticator authenticator,
    WebhookQueue queue,
    IngestMetrics metrics,
    RefusalReport report,
    TimeProvider time,
    ILogger<WebhookReceiver> logger)
{
    /// <summary>The route of both webhook URLs, as Azure Functions and ASP.NET Core write it.</summary>
    public const string Route = "webhook/{endpoint}";

    /// <summary>The route of the health check.</summary>
    public const string HealthRoute = "health";

    private const string Endpoint = "smtp2go";
    private const string SecretPrefix = Endpoint + "_";

    // The retry delay of the queue's trigger: what keeps storing from working may keep receiving from it as well.
    private const string RetryAfterSeconds = "30";

    // Of a body without a declared length; most are shorter, and it grows.
    private const int UndeclaredLength = 4 * 1024;

    private readonly WebhookOptions options = settings.Value;

    /// <summary>Answers one request. The body is not read before the caller is known.</summary>
    /// <param name="request">The request.</param>
    /// <param name="endpoint">What the route gave for <c>{endpoint}</c>.</param>
    public async Task<IResult> ReceiveAsync(HttpRequest request, string endpoint)
    {
        var cancellationToken = request.HttpContext.RequestAborted;
        var started = time.GetTimestamp();
        var receivedAt = time.GetUtcNow();

        if (endpoint != Endpoint && !endpoint.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return Refuse(request, Refusal.UnknownPath);
        }

        // SMTP2GO asks whether the URL answers before it takes it, and sends no secret then.
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

        var (body, refusal) = await ReadBodyAsync(request, cancellationToken);
        if (refusal is not null)
        {
            return Refuse(request, refusal);
        }

        if (WebhookBody.Check(body.Span) is var problem and not BodyProblem.None)
        {
            return Refuse(request, problem switch
            {
                BodyProblem.Empty => Refusal.EmptyBody,
                BodyProblem.MalformedJson => Refusal.MalformedJson,
                BodyProblem.NotAnObject => Refusal.NotAnObject,
                _ => Refusal.NoPairs,
            });
        }

        if (!await TryEnqueueAsync(body, request.ContentType, receivedAt, cancellationToken))
        {
            return Refuse(request, Refusal.NotDurable);
        }

        metrics.Received(time.GetElapsedTime(started));
        return TypedResults.Ok();
    }

    /// <summary>Says that the process is up, and nothing else. Costs no call to storage.</summary>
    public static IResult Health() => TypedResults.Text("Healthy");

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
                $"the address is not in Webhook__AllowedSources. X-Forwarded-For named {hops} hops and Webhook__TrustedProxies is {caller.TrustedProxies}."),
            SourceDecision.Undecided => Refuse(request, Refusal.SourceUndecided),
            _ => null,
        };
    }

    // As the caller sent it: a server leaves %2F alone in a path, and a secret may hold one.
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

    /// <summary>Reads the body; one over the limit is refused and never cut.</summary>
    private async Task<(ReadOnlyMemory<byte> Body, Refusal? Refusal)> ReadBodyAsync(
        HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            // As declared, and one byte for the end to be seen without growing.
            var body = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? UndeclaredLength) + 1);
            for (int read; (read = await request.Body.ReadAsync(body.GetMemory(), cancellationToken)) > 0;)
            {
                body.Advance(read);
                if (body.WrittenCount > options.MaxBodyBytes)
                {
                    return (default, Refusal.TooLarge);
                }
            }

            return (body.WrittenMemory, null);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            return (default, Refusal.TooSlow);
        }
        catch (IOException)
        {
            return (default, Refusal.Interrupted);
        }
        catch (OperationCanceledException)
        {
            return (default, Refusal.NotDurable);
        }
    }

    private async Task<bool> TryEnqueueAsync(
        ReadOnlyMemory<byte> body, string? contentType, DateTimeOffset receivedAt, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.EnqueueTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await queue.EnqueueAsync(body, contentType, receivedAt, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            Log.NotEnqueuedInTime(logger, options.EnqueueTimeout);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller has gone, or the host is stopping: nobody waits for the answer.
        }
        catch (Exception e)
        {
            // Whatever it is, an identity that hands out no token for a while included: it is ours, and sending it again can help.
            Log.NotEnqueued(logger, StorageFailure.Describe(e));
        }

        return false;
    }

    private ProblemHttpResult Refuse(HttpRequest request, Refusal refusal, string? hint = null)
    {
        if (refusal.Status == StatusCodes.Status503ServiceUnavailable)
        {
            request.HttpContext.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        metrics.Refused(refusal.Reason);
        report.Note(refusal.Reason, refusal.Status, hint ?? refusal.Title);
        return TypedResults.Problem(statusCode: refusal.Status, title: refusal.Title);
    }

    private static partial class Log
    {
        [LoggerMessage(
            101, LogLevel.Error, "A webhook was not acknowledged: the queue did not take it within {Timeout}. SMTP2GO sends it again.")]
        public static partial void NotEnqueuedInTime(ILogger logger, TimeSpan timeout);

        [LoggerMessage(102, LogLevel.Error, "A webhook was not acknowledged: {Failure}. SMTP2GO sends it again.")]
        public static partial void NotEnqueued(ILogger logger, string failure);
    }
}
