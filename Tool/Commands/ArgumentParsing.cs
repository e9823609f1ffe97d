using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Days, times and numbers on the command line; days and times are UTC.</summary>
internal static class ArgumentParsing
{
    private const string DayFormat = "yyyy-MM-dd";

    public static string ToText(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    /// <summary>A day: <c>2026-05-01</c>.</summary>
    public static string? ParseDay(ArgumentResult argument) => ParseDay(argument, DateOnly.MaxValue);

    /// <summary>A day up to the last one.</summary>
    public static string? ParseDay(ArgumentResult argument, DateOnly last)
    {
        var text = argument.Tokens[0].Value;
        if (!DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day))
        {
            argument.AddError($"'{text}' is not a date: write it as 2026-05-01.");
        }
        else if (day > last)
        {
            argument.AddError($"{text} is in the future.");
        }

        return text;
    }

    /// <summary>A day, or <c>no-time</c> for events without a time.</summary>
    public static string? ParseDayOrNoTime(ArgumentResult argument) =>
        argument.Tokens[0].Value == EventKeys.NoTime ? EventKeys.NoTime : ParseDay(argument);

    /// <summary>A day, or how long ago: <c>7d</c>, <c>12h</c>, <c>30m</c>.</summary>
    public static DateTimeOffset? ParseSince(ArgumentResult argument, DateTimeOffset now)
    {
        var text = argument.Tokens[0].Value;
        if (DateTimeOffset.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var day))
        {
            return day;
        }

        if (text.Length > 1
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count <= 100_000)
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

        argument.AddError($"'{text}' is not a time: write a day as 2026-05-01, or how long ago as 7d, 12h or 30m.");
        return null;
    }

    public static T ParseNumber<T>(ArgumentResult argument, T min, T max)
        where T : INumber<T>
    {
        var text = argument.Tokens[0].Value;
        if (!T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= min && number <= max))
        {
            argument.AddError(FormattableString.Invariant($"'{text}' is not a number between {min} and {max}."));
        }

        return number ?? min;
    }
}
