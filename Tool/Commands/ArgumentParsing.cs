using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Days, times and numbers on the command line.</summary>
internal static class ArgumentParsing
{
    /// <summary>A day, such as <c>2026-05-01</c>, up to the last one.</summary>
    public static string? ParseDay(ArgumentResult argument, DateOnly today, DateOnly last)
    {
        var text = argument.Tokens[0].Value;
        if (DayRange.ParseDay(text, today) is not { } day)
        {
            argument.AddError($"'{PlainText.Of(text)}' is not a date: write it as 2026-05-01.");
            return null;
        }

        if (day > last)
        {
            argument.AddError($"{DayRange.ToText(day)} is in the future.");
        }

        return DayRange.ToText(day);
    }

    /// <summary>A day or a range of days.</summary>
    public static DayRange? ParseDays(ArgumentResult argument, CommandContext context) => ParseDays(argument, Today(argument, context));

    public static DayRange? ParseDays(ArgumentResult argument, DateOnly today)
    {
        var days = DayRange.Parse(argument.Tokens[0].Value, today, out var problem);
        if (problem is not null)
        {
            argument.AddError(PlainText.Of(problem));
        }

        return days;
    }

    /// <summary>The last day in UTC, for a command whose argument <c>days</c> may be only the first one.</summary>
    public static Argument<string?> LastDay(CommandContext context) => new("to")
    {
        Description = "The last day (included), if <days> is only the first one.",
        Arity = ArgumentArity.ZeroOrOne,
        CustomParser = argument => ParseDay(argument, context.Today, DateOnly.MaxValue),
    };

    /// <summary>From the first day to the last one, if that is given.</summary>
    public static DayRange RangeOf(DayRange days, string? to)
    {
        if (to is null)
        {
            return days;
        }

        if (days.First != days.Last)
        {
            throw new CommandFailedException($"{days} is already a range: leave out {to}.", ExitCode.WrongUsage);
        }

        var last = DateOnly.Parse(to, CultureInfo.InvariantCulture);
        return days.First <= last
            ? new DayRange(days.First, last)
            : throw new CommandFailedException($"{days} is after {to}: give the first day first.", ExitCode.WrongUsage);
    }

    public static DayRange LastDays(ArgumentResult argument, CommandContext context, int count) =>
        DayRange.LastDays(count, Today(argument, context));

    /// <summary>Today where the user is, or in UTC with <c>--utc</c>.</summary>
    public static DateOnly Today(ArgumentResult argument, CommandContext context) =>
        context.TodayIn(argument.GetValue(context.Utc) ? TimeZoneInfo.Utc : context.Time.LocalTimeZone);

    /// <summary>A day, or how long ago: <c>7d</c>, <c>12h</c>, <c>30m</c>.</summary>
    public static DateTimeOffset? ParseSince(ArgumentResult argument, CommandContext context)
    {
        var (text, now) = (argument.Tokens[0].Value.Trim(), context.Time.GetUtcNow());
        if (DayRange.ParseDay(text, Today(argument, context)) is { } day)
        {
            return TimeWindow.StartOf(day, argument.GetValue(context.Utc) ? TimeZoneInfo.Utc : context.Time.LocalTimeZone);
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

        argument.AddError($"'{PlainText.Of(text)}' is not a time: write a day as 2026-05-01, or how long ago, as 7d, 12h or 30m.");
        return null;
    }

    // More than anybody reads, and one more is still a number.
    private const int MaxLimit = 1_000_000_000;

    /// <summary>For a command that may print a lot.</summary>
    public static Option<int?> Limit(string description) => new("--limit")
    {
        Description = description,
        CustomParser = argument => ParseNumber(argument, 1, MaxLimit),
    };

    /// <summary>For a command that can write a file.</summary>
    public static Option<string?> Output(string description)
    {
        var file = new Option<string?>("--output") { Description = description };
        file.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is not { } name
                || string.IsNullOrWhiteSpace(name)
                || name.Contains('\0', StringComparison.Ordinal))
            {
                result.AddError("--output must name a file; leave it out for standard output.");
            }
        });
        return file;
    }

    public static T ParseNumber<T>(ArgumentResult argument, T min, T max)
        where T : INumber<T>
    {
        var text = argument.Tokens[0].Value;
        if (!T.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !(number >= min && number <= max))
        {
            argument.AddError(FormattableString.Invariant($"'{PlainText.Of(text)}' is not a number between {min} and {max}."));
        }

        return number ?? min;
    }
}
