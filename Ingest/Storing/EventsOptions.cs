using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Storing;

/// <summary>The settings <c>Events__…</c>.</summary>
public sealed class EventsOptions
{
    public const string Section = "Events";

    /// <summary>How many days an event is kept; 0 keeps it forever.</summary>
    public int RetentionDays { get; set; }

    /// <summary>The first day (UTC) whose events are kept; what is older is deleted by the next purge. Null if all are kept.</summary>
    internal DateOnly? FirstDayKept(DateTimeOffset now) =>
        RetentionDays == 0 ? null : DateOnly.FromDateTime(now.UtcDateTime).AddDays(-RetentionDays);
}

/// <summary>Refuses a retention that makes no sense.</summary>
public sealed class EventsOptionsValidator : IValidateOptions<EventsOptions>
{
    public ValidateOptionsResult Validate(string? name, EventsOptions options) =>
        options.RetentionDays is >= 0 and <= 36_500
            ? ValidateOptionsResult.Success
            : ValidateOptionsResult.Fail("Events__RetentionDays must be between 0 (keep forever) and 36500.");
}
