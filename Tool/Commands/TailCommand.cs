using System.CommandLine;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Events as they are stored.</summary>
internal static class TailCommand
{
    // A row becomes visible a little after its Timestamp, and a look at the whole range takes a while itself.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(30);

    public static Command Create(CommandContext context)
    {
        var interval = new Option<double>("--interval")
        {
            Description = "Seconds between two looks.",
            DefaultValueFactory = _ => 2,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 0.1, 3_600),
        };
        var days = new Option<int>("--days")
        {
            Description = "How late an event may come: only those that happened within so many days are looked at.",
            DefaultValueFactory = _ => 3,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 0, 3_660),
        };
        var command = new Command("tail", "Events as they are stored, beginning with those of the last 30 seconds; Ctrl+C ends it.") { interval, days };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var table = context.Tables(parsed).GetTableClient(EventIndex.ByDayTable);
            var look = new Look(table, TimeSpan.FromDays(parsed.GetValue(days)));
            try
            {
                while (true)
                {
                    await foreach (var row in look.NewRowsAsync(cancellationToken))
                    {
                        await (context.IsJson(parsed)
                            ? context.Output.WriteJsonAsync(row, cancellationToken)
                            : context.Output.WriteLineAsync(EventList.Line(row).AsMemory(), cancellationToken));
                    }

                    await context.Output.FlushAsync(cancellationToken);
                    await Task.Delay(TimeSpan.FromSeconds(parsed.GetValue(interval)), context.Time, cancellationToken);
                }
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCode.Done;
            }
        });
        return command;
    }

    /// <summary>Looks again and again at what was stored since shortly before the last look, and gives each row once.</summary>
    /// <remarks>By the clock of the storage service: a local one that is off by a minute would miss events or repeat them.</remarks>
    private sealed class Look(TableClient table, TimeSpan lateness)
    {
        // Only of the rows that the next look can meet again.
        private readonly Dictionary<(string, string), DateTimeOffset> seen = [];
        private DateTimeOffset? last;

        public async IAsyncEnumerable<TableEntity> NewRowsAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
        {
            if (await NowAsync(cancellationToken) is not { } now)
            {
                yield break;
            }

            var since = (last ?? now) - Overlap;
            foreach (var (key, storedAt) in seen)
            {
                if (storedAt < since)
                {
                    seen.Remove(key);
                }
            }

            var filter = TableClient.CreateQueryFilter($"PartitionKey ge {EventQueries.From(EventKeys.Day(now - lateness))} and Timestamp ge {since}");
            await foreach (var row in table.QueryAsync<TableEntity>(filter, cancellationToken: cancellationToken))
            {
                if (seen.TryAdd((row.PartitionKey, row.RowKey), row.Timestamp ?? now))
                {
                    yield return row;
                }
            }

            last = now;
        }

        /// <summary>The time of the storage service; null while there is no table.</summary>
        private async Task<DateTimeOffset?> NowAsync(CancellationToken cancellationToken)
        {
            try
            {
                await foreach (var page in table.QueryAsync<TableEntity>("PartitionKey eq ''", maxPerPage: 1, cancellationToken: cancellationToken).AsPages())
                {
                    return page.GetRawResponse().Headers.Date;
                }
            }
            catch (RequestFailedException e) when (e.ErrorCode == TableErrorCode.TableNotFound)
            {
                // Nothing stored yet.
            }

            return null;
        }
    }
}
