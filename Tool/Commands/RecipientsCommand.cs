using System.CommandLine;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Who must not be mailed?</summary>
internal static class RecipientsCommand
{
    private const string Csv = "csv";
    private const string Ndjson = "ndjson";
    private const string Text = "text";

    // In a narrower terminal, the last column would break up the others.
    private const int WideEnough = 110;

    private static readonly string[] Columns =
    [
        "PartitionKey", "RowKey", ColumnNames.Recipient, ColumnNames.State, ColumnNames.StateSince, ColumnNames.LastEvent,
        ColumnNames.BounceClass, ColumnNames.LastDelivered,
    ];

    public static Command Create(CommandContext context)
    {
        var states = new Option<string[]>("--state")
        {
            Description = $"Only this state; may be repeated. By default all but {RecipientState.Active}.",
        };
        states.AcceptOnlyFromAmong([.. RecipientState.All]);
        var classes = new Option<string[]>("--class")
        {
            Description = "Only if the bounce or reject behind the state is of this class, such as invalid-recipient; may be repeated.",
        };
        classes.AcceptOnlyFromAmong([.. BounceClass.All]);
        var domain = new Option<string?>("--domain") { Description = "Only addresses of this domain." };
        var since = new Option<DateTimeOffset?>("--since")
        {
            Description = "Only states that began since then: 2026-05-01, today, yesterday, or how long ago, as 7d, 12h or 30m.",
            CustomParser = argument => ArgumentParsing.ParseSince(argument, context),
        };
        var limit = ArgumentParsing.Limit("Only the first n recipients.");
        var format = new Option<string>("--format")
        {
            Description = "csv: the columns of the table; ndjson: the same as --json.",
            DefaultValueFactory = _ => Text,
        };
        format.AcceptOnlyFromAmong(Text, Csv, Ndjson);
        var exact = new Option<bool>("--exact")
        {
            Description = "With --format csv, values exactly as they are. Without this, no value can act as a formula in a spreadsheet.",
        };
        var file = ArgumentParsing.Output("With --format csv or ndjson, the file to write.");
        var command = new Command("recipients", "Lists who must not be mailed, since when and why, ordered by domain and address.")
        {
            states, classes, domain, since, limit, format, exact, file,
        };
        command.Validators.Add(result =>
        {
            var isJson = result.GetValue(context.Json);
            if (result.GetValue(exact) && result.GetValue(format) != Csv)
            {
                result.AddError("--exact goes with --format csv: ndjson is always exact.");
            }

            if (result.GetValue(file) is not null && result.GetValue(format) is not (Csv or Ndjson) && !isJson)
            {
                result.AddError("--output goes with --format csv or ndjson.");
            }

            if (result.GetValue(domain) is { } name && RecipientQuery.DomainOf(name).Length == 0)
            {
                result.AddError("--domain must name a domain, such as example.org.");
            }

            if (isJson && result.GetValue(format) == Csv)
            {
                result.AddError("--json and --format csv are two formats: leave one out.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var asked = new RecipientQuery(
                parsed.GetValue(states) is { Length: > 0 } some ? some : null,
                parsed.GetValue(classes) is { Length: > 0 } why ? why : null,
                parsed.GetValue(domain),
                parsed.GetValue(since));
            var most = parsed.GetValue(limit);
            var nothingFound = $"No recipients found{PlainText.Of(asked.Describe())}.";
            return parsed.GetValue(format) == Text && !context.IsJson(parsed)
                ? await Rows(context, parsed).WriteAsync(
                    context, parsed, Recipients.TableName, [asked.Filter], most, nothingFound, cancellationToken)
                : await ExportAsync(
                    context,
                    parsed,
                    asked.Filter,
                    most,
                    new ExportFormat(parsed.GetValue(format) == Csv, parsed.GetValue(exact)),
                    parsed.GetValue(file),
                    cancellationToken) > 0
                    ? ExitCode.Done
                    : await context.NothingFoundAsync(nothingFound);
        });
        return command;
    }

    public static Tint TintOf(string state) => state switch
    {
        RecipientState.Active => Tint.Good,
        RecipientState.Complained or RecipientState.Unsubscribed or RecipientState.SoftBouncing => Tint.Warning,
        _ => Tint.Bad,
    };

    private static RowList Rows(CommandContext context, ParseResult parsed)
    {
        var (times, isWide) = (context.Times(parsed), context.Width >= WideEnough);
        return new RowList(
            [
                "Recipient", "State", times.Heading.Replace("Time", "Since", StringComparison.Ordinal), "Class",
                .. isWide ? ["Last delivered"] : (string[])[],
            ],
            row => RecipientState.Of(row) is { } state
                ? [
                    Cell.Key(state.Recipient), Cell.Key(state.State, TintOf(state.State)), Cell.Key(times.Of(state.StateSince)),
                    Cell.Key(state.BounceClass == state.State ? null : state.BounceClass),
                    .. isWide ? [Cell.Key(times.Of(state.LastDelivered))] : (Cell[])[],
                ]
                : [],
            Columns);
    }

    /// <returns>How many it wrote.</returns>
    private static async Task<long> ExportAsync(
        CommandContext context,
        ParseResult parsed,
        string filter,
        int? limit,
        ExportFormat format,
        string? path,
        CancellationToken cancellationToken)
    {
        if (path is null)
        {
            return await WriteAsync(context, parsed, filter, limit, format, context.Output, cancellationToken);
        }

        // It is short and written in one go: an interrupted one starts again.
        var account = context.Tables(parsed).Uri.GetLeftPart(UriPartial.Path);
        var request = new ExportRequest(account, format.IsCsv ? Csv : Ndjson, format.IsExact, Recipients.TableName, filter);
        await using var file = new ExportFile(path, request);
        var count = await WriteAsync(context, parsed, filter, limit, format, file.Output, cancellationToken);
        if (count > 0)
        {
            await file.CompleteAsync(cancellationToken);
        }

        return count;
    }

    private static async Task<long> WriteAsync(
        CommandContext context,
        ParseResult parsed,
        string filter,
        int? limit,
        ExportFormat format,
        TextWriter output,
        CancellationToken cancellationToken)
    {
        var csv = format.IsCsv ? new RowCsv(output, Columns, hasOther: false, format.IsExact) : null;
        var (count, hasMore) = (0L, false);
        using var progress = new Progress(context, "recipients");
        await foreach (var row in context.Tables(parsed).RowsAsync(Recipients.TableName, filter, null, cancellationToken))
        {
            if (count == limit)
            {
                hasMore = true;
                break;
            }

            if (csv is not null && count == 0)
            {
                await csv.WriteHeaderAsync(cancellationToken);
            }

            await (csv?.WriteAsync(row, cancellationToken) ?? output.WriteJsonAsync(row, cancellationToken));
            progress.Report(++count);
        }

        await (csv?.FlushAsync(cancellationToken) ?? Task.CompletedTask);
        if (hasMore)
        {
            await context.Error.WriteLineAsync(FormattableString.Invariant($"Showing the first {limit:N0}; there are more."));
        }

        return count;
    }

    private sealed record ExportFormat(bool IsCsv, bool IsExact);
}
