using System.Net.Mime;
using System.Text;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>What befalls a request.</summary>
public enum FaultKind
{
    /// <summary>The answer comes later.</summary>
    Delay,

    /// <summary>An error in Azure's own form.</summary>
    Error,

    /// <summary>The connection breaks and the request has not taken effect.</summary>
    DropBefore,

    /// <summary>The request takes effect and the connection breaks instead of an answer.</summary>
    DropAfter,

    /// <summary>The request takes effect and the connection breaks in the middle of the answer.</summary>
    CutAnswer,

    /// <summary>An answer that is not the service's, whatever its status says.</summary>
    Garbage,

    /// <summary>The whole service is away: every connection breaks at once.</summary>
    Away,
}

/// <summary>What befalls a request, and how.</summary>
public sealed record Fault
{
    private const string Html =
        "<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Welcome! Please accept our terms to use this network.</h1></body></html>";

    private Fault(FaultKind kind) => Kind = kind;

    /// <summary>The kind.</summary>
    public FaultKind Kind { get; }

    /// <summary>True where the request takes effect all the same.</summary>
    public bool TakesEffect { get; private init; }

    /// <summary>The connection breaks and the request has not taken effect.</summary>
    public static Fault DropBefore { get; } = new(FaultKind.DropBefore);

    /// <summary>The request takes effect and the connection breaks instead of an answer.</summary>
    public static Fault DropAfter { get; } = new(FaultKind.DropAfter) { TakesEffect = true };

    /// <summary>The request takes effect and the connection breaks in the middle of the answer.</summary>
    public static Fault CutAnswer { get; } = new(FaultKind.CutAnswer) { TakesEffect = true };

    internal static Fault Away { get; } = new(FaultKind.Away);

    internal TimeSpan Time { get; private init; }

    internal int Status { get; private init; }

    internal string? ErrorCode { get; private init; }

    internal string? ContentType { get; private init; }

    internal ReadOnlyMemory<byte> Bytes { get; private init; }

    /// <summary>The request is passed on after a time.</summary>
    /// <param name="time">How long.</param>
    public static Fault Delay(TimeSpan time) => new(FaultKind.Delay) { Time = time, TakesEffect = true };

    /// <summary>An error in Azure's own form.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="errorCode">The <c>x-ms-error-code</c>.</param>
    /// <param name="takesEffect">True where the request takes effect all the same, which Azure says of a 500.</param>
    public static Fault Error(int status, string errorCode, bool takesEffect = false) =>
        new(FaultKind.Error) { Status = status, ErrorCode = errorCode, TakesEffect = takesEffect };

    /// <summary>An answer that is not the service's.</summary>
    /// <param name="status">The HTTP status.</param>
    /// <param name="contentType">What it says it is.</param>
    /// <param name="body">What it holds.</param>
    public static Fault Garbage(int status, string contentType, string body) =>
        new(FaultKind.Garbage) { Status = status, ContentType = contentType, Bytes = Encoding.UTF8.GetBytes(body) };

    /// <summary>The page of a captive portal, or of a proxy's error page with a wrong status, in the place of an answer.</summary>
    /// <param name="status">The HTTP status; 200 is the nastiest, and 201, 202 and 204 are what the writing operations take for success.</param>
    public static Fault CaptivePortal(int status = 200) => Garbage(status, MediaTypeNames.Text.Html, status == 204 ? string.Empty : Html);
}
