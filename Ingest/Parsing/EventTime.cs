using System.Globalization;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads the times that SMTP2GO sends: <c>2026-03-24T08:23:19Z</c>, with fractions and an offset, or with a blank and no zone.</summary>
public static class EventTime
{
    // Exact formats alone: a lenient reading of "10:30" would add today's date, and a key may not depend on the clock.
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFzzz",
    ];

    /// <summary>Reads a time; one without a zone is UTC.</summary>
    /// <param name="text">The text as sent.</param>
    /// <param name="time">The time in UTC.</param>
    public static bool TryParse(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(
            text,
            Formats,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal
                | DateTimeStyles.AdjustToUniversal
                | DateTimeStyles.AllowLeadingWhite
                | DateTimeStyles.AllowTrailingWhite,
            out time);
}
