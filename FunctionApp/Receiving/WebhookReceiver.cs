using System.Diagnostics;
using System.Globalization;
using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Receiving;

/// <summary>From an HTTP request to an answer: the guards in their order, and 200 only when the webhook is durable.</summary>
/// <param name="settings">The settings.</param>
/// <param name="authenticator">Judges the secrets.</param>
/// <param name="queue">Makes a webhook durable.</param>
/// <param name="metrics">Counts what was received and what was refused.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Reports refusals and failures.</param>
public sealed partial class WebhookReceiver(
    IOptions<WebhookOptions> settings,
    WebhookAuthenticator authenticator,
    WebhookQueue queue,
    IngestMetrics metrics,
    TimeProvider time,
    ILogger<WebhookReceiver> logger)
{
    /// <summary>The route of both webhook URLs, as Azure Functions and ASP.NET Core write it.</summary>
    public const string Route = "webhook/{endpoint}";

    private const string Endpoint = "smtp2go";
    private const string SecretPrefix = Endpoint + "_";

    private readonly WebhookOptions options = settings.Value;

    /// <summary>Answers one request. The body is not read before the caller is known.</summary>
    /// <param name="request">The request.</param>
    /// <param name="endpoint">What the route gave for <c>{endpoint}</c>.</param>
    /// <param name="cancellationToken">The caller has gone.</param>
    public async Task<IResult> ReceiveAsync(HttpRequest request, string endpoint, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var receivedAt = time.GetUtcNow();

        if (endpoint != Endpoint && !endpoint.StartsWith(SecretPrefix, StringComparison.Ordinal))
        {
            return Refuse(Refusal.UnknownPath);
        }

        // SMTP2GO asks whether the URL answers before it takes it, and sends no secret then.
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        {
            return TypedResults.Ok();
        }

        if (!HttpMethods.IsPost(request.Method))
        {
            request.HttpContext.Response.Headers.Allow = "GET, HEAD, POST";
            return Refuse(Refusal.Method);
        }

        if (request.ContentLength > options.MaxBodyBytes)
        {
            return Refuse(Refusal.TooLarge);
        }

        var authentication = authenticator.Authenticate(new PresentedSecrets(
            request.Headers.Authorization, request.Query["p"], PathSecret(request, endpoint)));
        if (authentication != AuthenticationResult.Accepted)
        {
            request.HttpContext.Response.Headers.WWWAuthenticate = "Basic realm=\"smtp2go\", charset=\"UTF-8\"";
            return Refuse(authentication == AuthenticationResult.Missing ? Refusal.NoSecret : Refusal.WrongSecret);
        }

        var (body, refusal) = await ReadBodyAsync(request, cancellationToken);
        if (body is null)
        {
            return Refuse(refusal);
        }

        if (WebhookBody.Check(body) is var problem and not BodyProblem.None)
        {
            return Refuse(problem switch
            {
                BodyProblem.Empty => Refusal.EmptyBody,
                BodyProblem.MalformedJson => Refusal.MalformedJson,
                BodyProblem.NotAnObject => Refusal.NotAnObject,
                _ => Refusal.NoPairs,
            });
        }

        if (!await TryEnqueueAsync(body, request.ContentType, receivedAt, cancellationToken))
        {
            request.HttpContext.Response.Headers.RetryAfter = "30";
            return Refuse(Refusal.NotDurable);
        }

        metrics.Received(time.GetElapsedTime(started));
        return TypedResults.Ok();
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

    /// <summary>Reads one byte more than the limit at most, so that a body over it is refused and never cut.</summary>
    private async Task<(byte[]? Body, Refusal Refusal)> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        try
        {
            using var body = new MemoryStream((int)(request.ContentLength ?? 0));
            var buffer = new byte[8 * 1024];
            for (int read; (read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                body.Write(buffer, 0, read);
                if (body.Length > options.MaxBodyBytes)
                {
                    return (null, Refusal.TooLarge);
                }
            }

            return (body.ToArray(), default);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return (null, Refusal.Interrupted);
        }
    }

    private async Task<bool> TryEnqueueAsync(byte[] body, string? contentType, DateTimeOffset receivedAt, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(options.EnqueueTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            await queue.EnqueueAsync(body, contentType, receivedAt, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (either.IsCancellationRequested)
        {
            Log.NotEnqueuedInTime(logger, options.EnqueueTimeout);
            return false;
        }
        catch (RequestFailedException e)
        {
            Log.NotEnqueued(logger, e.ErrorCode, e.Status);
            return false;
        }
        catch (AggregateException e) when (e.InnerException is RequestFailedException inner)
        {
            Log.NotEnqueued(logger, inner.ErrorCode, inner.Status);
            return false;
        }
    }

    private ProblemHttpResult Refuse(Refusal refusal)
    {
        var (reason, status, title) = Describe(refusal);
        metrics.Refused(reason);
        Log.Refused(logger, reason, status);
        return TypedResults.Problem(statusCode: status, title: title);
    }

    private (string Reason, int Status, string Title) Describe(Refusal refusal) => refusal switch
    {
        Refusal.UnknownPath => ("path", 404, "No webhook is received here. The path is /webhook/smtp2go."),
        Refusal.Method => ("method", 405, "Webhooks are received by POST."),
        Refusal.TooLarge => ("too-large", 413, string.Create(CultureInfo.InvariantCulture, $"The body is longer than {options.MaxBodyBytes} bytes (Webhook__MaxBodyBytes).")),
        Refusal.NoSecret => ("no-secret", 401, "No secret came in a way that is accepted (Webhook__Accept). Put it into the webhook's settings in SMTP2GO."),
        Refusal.WrongSecret => ("wrong-secret", 401, "The secret is wrong. Compare the webhook's settings in SMTP2GO with Webhook__Username and Webhook__Password."),
        Refusal.Interrupted => ("interrupted", 400, "The body ended before it was whole. Send it again."),
        Refusal.EmptyBody => ("empty", 400, "The body is empty. Send a form or a JSON object."),
        Refusal.MalformedJson => ("malformed-json", 400, "The body begins as JSON and is not sound JSON."),
        Refusal.NotAnObject => ("not-an-object", 400, "The body is JSON but no object. Send one object for one event."),
        Refusal.NoPairs => ("no-pairs", 400, "The body holds no name=value. Send a form or a JSON object."),
        Refusal.NotDurable => ("not-durable", 503, "The webhook could not be made durable in time. Send it again."),
        _ => throw new UnreachableException(),
    };

    private enum Refusal
    {
        UnknownPath,
        Method,
        TooLarge,
        NoSecret,
        WrongSecret,
        Interrupted,
        EmptyBody,
        MalformedJson,
        NotAnObject,
        NoPairs,
        NotDurable,
    }

    private static partial class Log
    {
        [LoggerMessage(100, LogLevel.Information, "Refused with {Status}: {Reason}.")]
        public static partial void Refused(ILogger logger, string reason, int status);

        [LoggerMessage(101, LogLevel.Error, "A webhook was not acknowledged: the queue did not take it within {Timeout}. SMTP2GO sends it again.")]
        public static partial void NotEnqueuedInTime(ILogger logger, TimeSpan timeout);

        [LoggerMessage(102, LogLevel.Error, "A webhook was not acknowledged: storage answered {ErrorCode} ({Status}). SMTP2GO sends it again.")]
        public static partial void NotEnqueued(ILogger logger, string? errorCode, int status);
    }
}
