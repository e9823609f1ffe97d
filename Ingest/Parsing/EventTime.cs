using System.Globalization;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads the times that SMTP2GO sends.</summary>
/// <remarks><c>2026-03-24T08:23:19Z</c>, with fractions and an offset, or with a space and no zone.</remarks>
public static class EventTime
{
    // Only exact formats: a lenient parser would add today's date to "10:30", and a key must not depend on the clock.
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFzzz",
    ];

    /// <param name="time">In UTC, which is also assumed for a time without a zone.</param>
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
