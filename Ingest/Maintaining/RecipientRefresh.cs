using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>
/// Folds recipients again: all of them every night, because deliveries change what is known about them and cost nothing when they are
/// stored; and those of touched days, because a run that was cut short may have written rows of an address that nobody has folded.
/// </summary>
internal sealed class RecipientRefresh(TableServiceClient service, Recipients recipients)
{
    /// <summary>
    /// The row of <see cref="DaysTable.Progress"/> that says how far a run has come. It names an address until the run is done.
    /// </summary>
    public const string Key = "recipients";

    private const string NightOf = "Night";
    private const string Partition = "AfterPartitionKey";
    private const string Row = "AfterRowKey";
    private const string IsDone = "IsDone";

    private readonly TableClient days = service.GetTableClient(DaysTable.TableName);
    private readonly TableClient byDay = service.GetTableClient(EventIndex.ByDayTable);

    /// <summary>Folds every recipient, unless that was done since this time. Continues where an earlier call stopped.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task RefreshSinceAsync(DateTimeOffset night, CancellationToken cancellationToken)
    {
        var progress = await days.RowsIfExistAsync(
                TableClient.CreateQueryFilter($"PartitionKey eq {DaysTable.Progress} and RowKey eq {Key}"), null, cancellationToken)
            .FirstOrDefaultAsync(cancellationToken);
        var isTonight = progress is not null && DaysTable.TimeIn(progress, NightOf) == night;
        if (isTonight && progress!.GetBoolean(IsDone) is true)
        {
            return;
        }

        var after = isTonight ? new RecipientPosition(progress!.GetString(Partition), progress.GetString(Row)) : null;
        await foreach (var position in recipients.RefreshAsync(after, cancellationToken))
        {
            await WriteAsync(position, isDone: false);
        }

        await WriteAsync(null, isDone: true);

        Task WriteAsync(RecipientPosition? position, bool isDone)
        {
            var row = new TableEntity(DaysTable.Progress, Key) { [NightOf] = night, [IsDone] = isDone };
            (row[Partition], row[Row]) = (position?.PartitionKey, position?.RowKey);
            return days.CreatingIfMissing(t => t.UpsertEntityAsync(row, TableUpdateMode.Replace, cancellationToken), cancellationToken);
        }
    }

    /// <summary>Folds every recipient whose state an event of this day may change.</summary>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task RefreshDayAsync(string day, CancellationToken cancellationToken)
    {
        foreach (var name in RecipientFold.StateEvents)
        {
            var filter = TableClient.CreateQueryFilter($"PartitionKey eq {$"{day}_{name}"}");
            await foreach (var page in byDay.QueryIfExistsAsync(filter, null, cancellationToken))
            {
                var about = page.Values.Where(RecipientFold.IsStateEvent).Select(EventIndex.EventOf).OfType<EmailEvent>();
                await recipients.FoldAsync(
                    about.SelectMany(e => EventIndex.RecipientsOf(e).Take(EventIndex.MaxRecipients)), cancellationToken);
            }
        }
    }
}
