using System.Globalization;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Parsing;

/// <summary>Reads the times that SMTP2GO sends, and other ways to write a time.</summary>
/// <remarks>
/// All of RFC 3339, such as <c>2026-03-24T08:23:19Z</c>, also with a space for the T or without a zone for UTC; RFC 5322; and seconds or
/// milliseconds since 1970.
/// </remarks>
public static partial class EventTime
{
    private const DateTimeStyles Utc =
        DateTimeStyles.AssumeUniversal
        | DateTimeStyles.AdjustToUniversal
        | DateTimeStyles.AllowLeadingWhite
        | DateTimeStyles.AllowTrailingWhite;

    // The most fraction digits that a time can hold.
    private const int TickDigits = 7;

    // Only exact formats: a lenient parser would add today's date to "10:30", and a key must not depend on the clock.
    private static readonly string[] Formats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFK",
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd' 'HH:mm:ss.FFFFFFFzzz",
        "ddd, d MMM yyyy HH:mm:ss zzz",
        "ddd, d MMM yyyy HH:mm:ss 'GMT'",
    ];

    /// <param name="time">In UTC, which is also assumed if the text has no zone.</param>
    public static bool TryParse(string? text, out DateTimeOffset time) =>
        DateTimeOffset.TryParseExact(text, Formats, CultureInfo.InvariantCulture, Utc, out time)
        || (text is not null && (TryParseRfc3339(text, out time) || TryParseEpoch(text, out time)));

    /// <summary>
    /// One spelling for each instant, which reads back as the same: <c>2026-03-24T08:23:19Z</c>, with its fraction if it has one.
    /// </summary>
    internal static string ToText(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    // Lower-case letters, more digits than a time can hold, and the leap second, which is the last moment of the second before it.
    private static bool TryParseRfc3339(string text, out DateTimeOffset time)
    {
        time = default;
        if (Rfc3339().Match(text) is not { Success: true } match)
        {
            return false;
        }

        var isLeap = match.Groups["second"].ValueSpan is "60";
        var second = isLeap ? "59" : match.Groups["second"].ValueSpan;
        var fraction = isLeap ? new string('9', TickDigits) : match.Groups["fraction"].Value;
        return DateTimeOffset.TryParseExact(
            $"{match.Groups["date"].ValueSpan}T{match.Groups["minute"].ValueSpan}:{second}"
            + $".{fraction.AsSpan(0, Math.Min(fraction.Length, TickDigits))}{match.Groups["zone"].Value.ToUpperInvariant()}",
            Formats,
            CultureInfo.InvariantCulture,
            Utc,
            out time);
    }

    private static bool TryParseEpoch(string text, out DateTimeOffset time)
    {
        time = default;
        var isEpoch = decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && Epoch().IsMatch(text);
        if (isEpoch)
        {
            var unit = number < 100_000_000_000 ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond;
            time = DateTimeOffset.UnixEpoch.AddTicks((long)(number * unit));
        }

        return isEpoch;
    }

    [GeneratedRegex(
        @"^\s*(?<date>\d{4}-\d\d-\d\d)[Tt ](?<minute>\d\d:\d\d):(?<second>\d\d)(\.(?<fraction>\d+))?(?<zone>[Zz]|[+-]\d\d:?\d\d)?\s*$",
        RegexOptions.ExplicitCapture | RegexOptions.ECMAScript,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Rfc3339();

    // From 2001 on, so that a shorter number does not count as a time.
    [GeneratedRegex(
        @"^\s*[1-9][0-9]{9}(\.[0-9]{1,9}|[0-9]{3})?\s*$",
        RegexOptions.ExplicitCapture | RegexOptions.ECMAScript,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Epoch();
}
