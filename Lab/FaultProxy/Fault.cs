using System.Net.Mime;
using System.Text;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>What happens to a request.</summary>
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

    /// <summary>The connection stays open and no answer ever comes.</summary>
    Hang,

    /// <summary>An answer that did not come from the service, whatever its status says.</summary>
    Garbage,

    /// <summary>The whole service is down: every connection breaks at once.</summary>
    Away,
}

/// <summary>What happens to a request, and how.</summary>
public sealed record Fault
{
    private const string Html =
        "<!DOCTYPE html><html><head><title>Sign in</title></head>"
        + "<body><h1>Welcome! Please accept our terms to use this network.</h1></body></html>";

    private Fault(FaultKind kind) => Kind = kind;

    public FaultKind Kind { get; }

    /// <summary>True if storage carries out the request anyway.</summary>
    public bool TakesEffect { get; private init; }

    public static Fault DropBefore { get; } = new(FaultKind.DropBefore);

    public static Fault DropAfter { get; } = new(FaultKind.DropAfter) { TakesEffect = true };

    public static Fault CutAnswer { get; } = new(FaultKind.CutAnswer) { TakesEffect = true };

    /// <summary>Hangs before the request takes effect.</summary>
    public static Fault HangBefore { get; } = new(FaultKind.Hang);

    /// <summary>Hangs after the request took effect.</summary>
    public static Fault HangAfter { get; } = new(FaultKind.Hang) { TakesEffect = true };

    internal static Fault Away { get; } = new(FaultKind.Away);

    internal TimeSpan Time { get; private init; }

    internal Task? Release { get; private init; }

    internal int Status { get; private init; }

    internal string? ErrorCode { get; private init; }

    internal string? ContentType { get; private init; }

    internal ReadOnlyMemory<byte> Bytes { get; private init; }

    public static Fault Delay(TimeSpan time) => new(FaultKind.Delay) { Time = time, TakesEffect = true };

    /// <summary>Passes the request on when a task has ended.</summary>
    public static Fault Until(Task release) => new(FaultKind.Delay) { Release = release, TakesEffect = true };

    /// <param name="errorCode">The <c>x-ms-error-code</c>.</param>
    /// <param name="takesEffect">True if storage carries out the request anyway, as Azure says may happen with a 500.</param>
    public static Fault Error(int status, string errorCode, bool takesEffect = false) =>
        new(FaultKind.Error) { Status = status, ErrorCode = errorCode, TakesEffect = takesEffect };

    public static Fault Garbage(int status, string contentType, string body) =>
        new(FaultKind.Garbage) { Status = status, ContentType = contentType, Bytes = Encoding.UTF8.GetBytes(body) };

    /// <summary>The page of a captive portal, or a proxy's error page with a wrong status, in place of an answer.</summary>
    /// <param name="status">200 is the nastiest; 201, 202 and 204 mean success to the writing operations.</param>
    public static Fault CaptivePortal(int status = 200) => Garbage(status, MediaTypeNames.Text.Html, status == 204 ? string.Empty : Html);
}
