using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool;

/// <summary>Days, times and numbers as they are written on the command line; days and times are UTC.</summary>
internal static class ArgumentParsing
{
    private const string DayFormat = "yyyy-MM-dd";

    public static string ToText(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    /// <summary>A day: <c>2026-05-01</c>.</summary>
    public static string? Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[0].Value;
        if (!DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _))
        {
            argument.AddError($"'{text}' is no day: write it as 2026-05-01.");
        }

        return text;
    }

    /// <summary>A day, or <c>no-time</c> for the events that have none.</summary>
    public static string? ParseDayOrNoTime(ArgumentResult argument) =>
        argument.Tokens[0].Value == EventKeys.NoTime ? EventKeys.NoTime : Parse(argument);

    /// <summary>A day, or how long ago: <c>7d</c>, <c>12h</c>, <c>30m</c>.</summary>
    public static DateTimeOffset? ParseSince(ArgumentResult argument, DateTimeOffset now)
    {
        var text = argument.Tokens[0].Value;
        if (DateTimeOffset.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day))
        {
            return day;
        }

        if (text.Length > 1 && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= 100_000)
        {
            switch (text[^1])
            {
                case 'd':
                    return now.AddDays(-count);
                case 'h':
                    return now.AddHours(-count);
                case 'm':
                    return now.AddMinutes(-count);
            }
        }

        argument.AddError($"'{text}' is no time: write a day as 2026-05-01, or how long ago as 7d, 12h or 30m.");
        return null;
    }

    /// <summary>A number within limits.</summary>
    public static T ParseNumber<T>(ArgumentResult argument, T min, T max)
        where T : INumber<T>
    {
        if (!T.TryParse(argument.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= min && number <= max))
        {
            argument.AddError(FormattableString.Invariant($"'{argument.Tokens[0].Value}' is no number between {min} and {max}."));
        }

        return number ?? min;
    }
}
