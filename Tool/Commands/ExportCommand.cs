using System.CommandLine;
using System.Text;
using Azure.Data.Tables;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events of a range of days as a file for other programs.</summary>
internal static class ExportCommand
{
    private const string Csv = "csv";
    private const string Ndjson = "ndjson";

    public static Command Create(CommandContext context)
    {
        var from = new Argument<string>("from")
        {
            Description = "The first day, UTC: 2026-05-01.",
            CustomParser = argument => ArgumentParsing.ParseDay(argument, context.Today, DateOnly.MaxValue),
        };
        var to = new Argument<string>("to")
        {
            Description = "The last day, included.",
            CustomParser = argument => ArgumentParsing.ParseDay(argument, context.Today, DateOnly.MaxValue),
        };
        var format = new Option<string>("--format")
        {
            Description = "csv: fixed columns, and one named other with the rest as JSON; ndjson: every column.",
            DefaultValueFactory = _ => Ndjson,
        };
        format.AcceptOnlyFromAmong(Csv, Ndjson);
        var file = new Option<string?>("--output")
        {
            Description = "The file to write, replaced only when the export is complete; standard output by default.",
        };
        var command = new Command("export", "Every event of a range of days, by day and event, without bodies.")
        {
            from, to, format, file,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(file) is { } name && (string.IsNullOrWhiteSpace(name) || name.Contains('\0', StringComparison.Ordinal)))
            {
                result.AddError("--output must name a file; leave it out for standard output.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (first, last) = (parsed.GetRequiredValue(from), parsed.GetRequiredValue(to));
            if (string.CompareOrdinal(first, last) > 0)
            {
                throw new CommandFailedException($"{first} is after {last}: give the first day first.", ExitCode.WrongUsage);
            }

            var rows = context.Tables(parsed).RowsAsync(
                EventIndex.ByDayTable, EventQueries.OfDays(first, last), null, cancellationToken);
            using var progress = new Progress(context, "events");
            var count = await WriteToAsync(parsed.GetValue(file), context.Output, output => parsed.GetValue(format) == Csv
                ? EventCsv.WriteAsync(output, rows, progress, cancellationToken)
                : WriteNdjsonAsync(output, rows, progress, cancellationToken));
            return count > 0 ? ExitCode.Done : await context.NothingFoundAsync($"No events found from {first} to {last}.");
        });
        return command;
    }

    // A file that is cut short must never pass for a whole one.
    private static async Task<long> WriteToAsync(string? file, TextWriter standardOutput, Func<TextWriter, Task<long>> write)
    {
        if (file is null)
        {
            return await write(standardOutput);
        }

        var part = file + ".part";
        try
        {
            long count;
            var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
            await using (var output = new StreamWriter(part, append: false, utf8) { NewLine = "\n" })
            {
                count = await write(output);
            }

            File.Move(part, file, overwrite: true);
            return count;
        }
        catch
        {
            File.Delete(part);
            throw;
        }
    }

    private static async Task<long> WriteNdjsonAsync(
        TextWriter output, IAsyncEnumerable<TableEntity> rows, Progress progress, CancellationToken cancellationToken)
    {
        var count = 0L;
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            await output.WriteJsonAsync(row, cancellationToken);
            progress.Report(++count);
        }

        return count;
    }
}
