using System.CommandLine;
using System.Globalization;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events of a range of days as a file for other programs.</summary>
internal static class ExportCommand
{
    private const string Csv = "csv";
    private const string Ndjson = "ndjson";
    private const int LengthOfDay = 10;

    public static Command Create(CommandContext context)
    {
        var days = new Argument<DayRange>("days")
        {
            Description = $"In UTC: {DayRange.Forms}.",
            CustomParser = argument => ArgumentParsing.ParseDays(argument, context.Today),
        };
        var to = ArgumentParsing.LastDay(context);
        var format = new Option<string>("--format")
        {
            Description = "csv: fixed columns, and one named other with the rest as JSON; ndjson: every column.",
            DefaultValueFactory = _ => Ndjson,
        };
        format.AcceptOnlyFromAmong(Csv, Ndjson);
        var exact = new Option<bool>("--exact")
        {
            Description = "With --format csv, values exactly as they are. Without this, no value can act as a formula in a spreadsheet.",
        };
        var file = ArgumentParsing.Output("The file to write. Run the same command again to continue one that was interrupted.");
        var command = new Command("export", "Writes every event in a range of days, by day and event, without bodies.")
        {
            days, to, format, exact, file,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(exact) && result.GetValue(format) != Csv)
            {
                result.AddError("--exact goes with --format csv: ndjson is always exact.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var range = ArgumentParsing.RangeOf(parsed.GetRequiredValue(days), parsed.GetValue(to));
            var isCsv = parsed.GetValue(format) == Csv;
            var count = await ExportAsync(
                context, parsed, range, isCsv, parsed.GetValue(exact), parsed.GetValue(file), cancellationToken);
            return count > 0 ? ExitCode.Done : await context.NothingFoundAsync($"No events found for {range}.");
        });
        return command;
    }

    private static async Task<long> ExportAsync(
        CommandContext context,
        ParseResult parsed,
        DayRange days,
        bool isCsv,
        bool isExact,
        string? path,
        CancellationToken cancellationToken)
    {
        if (path is null)
        {
            return await WriteAsync(context, parsed, days, isCsv, isExact, null, cancellationToken);
        }

        var (first, last) = (DayRange.ToText(days.First), DayRange.ToText(days.Last));
        var account = context.Tables(parsed).Uri.GetLeftPart(UriPartial.Path);
        await using var file = new ExportFile(path, new ExportRequest(account, isCsv ? Csv : Ndjson, isExact, first, last));
        try
        {
            var count = await WriteAsync(context, parsed, days, isCsv, isExact, file, cancellationToken);
            if (count > 0)
            {
                await file.CompleteAsync(cancellationToken);
            }

            return count;
        }
        catch (Exception e) when (file.Kept is { } kept && FailureText.Explain(e) is { } problem)
        {
            throw new CommandFailedException($"{problem} Run the same command again to continue at {kept.Next}.");
        }
    }

    private static async Task<long> WriteAsync(
        CommandContext context,
        ParseResult parsed,
        DayRange days,
        bool isCsv,
        bool isExact,
        ExportFile? file,
        CancellationToken cancellationToken)
    {
        var output = file?.Output ?? context.Output;
        var csv = isCsv ? RowCsv.Events(output, isExact) : null;
        var count = file?.Kept?.Events ?? 0;
        if (file?.Kept is { } kept)
        {
            await context.Error.WriteLineAsync(
                FormattableString.Invariant($"Continuing at {kept.Next}, after {PlainText.Count(kept.Events, "event")}."));
            days = days with { First = DateOnly.Parse(kept.Next, CultureInfo.InvariantCulture) };
        }
        else if (csv is not null)
        {
            await csv.WriteHeaderAsync(cancellationToken);
        }

        var (before, started) = (count, context.Time.GetTimestamp());
        var day = DayRange.ToText(days.First);
        using var progress = new Progress(context, "events", all => Pace(ExportPace.Of(
            days, DateOnly.Parse(day, CultureInfo.InvariantCulture), all - before, context.Time.GetElapsedTime(started))));
        var filter = EventQueries.OfDays(day, DayRange.ToText(days.Last));
        await foreach (var row in context.Tables(parsed).RowsAsync(EventIndex.ByDayTable, filter, null, cancellationToken))
        {
            if (!row.PartitionKey.StartsWith(day, StringComparison.Ordinal))
            {
                day = row.PartitionKey[..LengthOfDay];
                await FlushAsync();
                await (file?.KeepAsync(day, count, cancellationToken) ?? Task.CompletedTask);
            }

            await (csv?.WriteAsync(row, cancellationToken) ?? output.WriteJsonAsync(row, cancellationToken));
            progress.Report(++count);
        }

        await FlushAsync();
        return count;

        Task FlushAsync() => csv?.FlushAsync(cancellationToken) ?? Task.CompletedTask;
    }

    private static string Pace(ExportPace pace) =>
        FormattableString.Invariant($", {pace.PerSecond:N0} a second, day {pace.Day} of {pace.Days}")
        + (pace.Left is { } left ? $", about {TimeText.Of(left)} left" : string.Empty);
}
