using Azure;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Maintaining;

/// <summary>
/// Forgets an address, as people have a right to ask. It reads everything that is stored, because an address may appear in any text.
/// </summary>
public sealed class Forgetting(
    TableServiceClient service,
    EventStore events,
    Recipients recipients,
    DeadLetters letters,
    WebhookBlobs blobs,
    QueueWatch queues,
    TouchedDays touched,
    DayCounting counting,
    StorageClock clock)
{
    // A body is written before the message that names it, and SMTP2GO waits no longer than this for both.
    private static readonly TimeSpan UnderWay = TimeSpan.FromSeconds(10);

    /// <summary>Forgets an address. Call it when both queues are empty: a webhook still in one would bring the address back.</summary>
    /// <param name="address">An email address or telephone number, as people paste it.</param>
    /// <param name="dryRun">Only counts; changes nothing.</param>
    /// <param name="progress">Gets the number of rows read so far.</param>
    /// <param name="cancellationToken">Ends the run; call it again to continue.</param>
    /// <exception cref="ArgumentException">The text is neither an email address nor a telephone number.</exception>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<Forgotten> ForgetAsync(string address, bool dryRun, IProgress<long>? progress, CancellationToken cancellationToken)
    {
        var pattern = AddressPattern.Parse(address) ?? throw new ArgumentException("Not an address.", nameof(address));
        var rows = new RowForgetting(service, events, recipients, letters, blobs, touched, pattern, dryRun);
        var before = await clock.PassedAsync(cancellationToken) - UnderWay;
        var wasIdle = await queues.CountAsync(cancellationToken) == 0;
        var forgotten = new Forgotten();
        var read = 0L;

        // Counted first: they go with the events that they were folded from.
        forgotten.Recipients = await NamedRecipients().CountAsync(cancellationToken);
        await foreach (var row in RowsAsync(EventStore.TableName))
        {
            forgotten.Add(await rows.ForgetEventAsync(row, cancellationToken));
        }

        foreach (var name in new[] { EventIndex.ByRecipientTable, EventIndex.ByDayTable })
        {
            var index = service.GetTableClient(name);
            await foreach (var row in RowsAsync(name).Where(row => Redaction.IsIn(pattern, row)))
            {
                var (change, isOrphan) = await rows.ForgetIndexRowAsync(index, row, cancellationToken);
                forgotten.Add(change);
                forgotten.IndexRows += isOrphan ? 1 : 0;
            }
        }

        // Once each, and not after each of its events. Also what an earlier run that was cut short has left.
        if (!dryRun)
        {
            await foreach (var row in NamedRecipients())
            {
                await recipients.FoldPartitionAsync(row.RowKey, cancellationToken);
            }
        }

        // If a message cannot be read, only its text names its bodies.
        var named = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var row in RowsAsync(DeadLetters.TableName))
        {
            var change = await rows.ForgetDeadLetterAsync(row, cancellationToken);
            forgotten.DeadLetters += change == ForgetChange.None ? 0 : 1;
            named.UnionWith((await DeadLetterBlobs.OfAsync(row, blobs, cancellationToken))
                .Where(name => change == ForgetChange.None || name != row.GetString(ColumnNames.BodyBlob)));
        }

        // Last, when no row refers to them any more. Leaves those that a message may refer to.
        var isIdle = wasIdle && await queues.CountAsync(cancellationToken) == 0;
        await foreach (var name in blobs.ListAsync(cancellationToken))
        {
            if (await blobs.ReadAsync(name, cancellationToken) is { } body && Redaction.IsIn(pattern, body))
            {
                var isDeleted = isIdle && !named.Contains(name) && (dryRun || await DeleteAsync(name, body));
                forgotten.Blobs += isDeleted ? 1 : 0;
                forgotten.BlobsLeft += isDeleted ? 0 : 1;
                if (!isDeleted && !dryRun)
                {
                    // Its row may be gone: the sweep must look at it again.
                    await blobs.TouchAsync(name, cancellationToken);
                }
            }
        }

        if (!dryRun)
        {
            // It may name the address. The next run begins again.
            await service.GetTableClient(DaysTable.TableName)
                .DeleteEntityAsync(DaysTable.Progress, RecipientRefresh.Key, cancellationToken: cancellationToken);
            await counting.CountTouchedAsync(cancellationToken);
        }

        return forgotten;

        IAsyncEnumerable<TableEntity> NamedRecipients() => RowsAsync(Recipients.TableName).Where(row => Redaction.IsIn(pattern, row));

        async IAsyncEnumerable<TableEntity> RowsAsync(string name)
        {
            await foreach (var page in service.GetTableClient(name).QueryIfExistsAsync(null, null, cancellationToken))
            {
                foreach (var row in page.Values)
                {
                    yield return row;
                }

                progress?.Report(read += page.Values.Count);
            }
        }

        // A webhook that was under way at the start may have become a row since then.
        async Task<bool> DeleteAsync(string name, BinaryData body)
        {
            if (EmailEvent.TryParse(body, out var e, out _)
                && await service.GetTableClient(EventStore.TableName).GetEntityIfExistsAsync<TableEntity>(
                    EventKeys.PartitionKey(e), EventKeys.RowKey(e), cancellationToken: cancellationToken) is { HasValue: true } stored)
            {
                forgotten.Add(await rows.ForgetEventAsync(stored.Value!, cancellationToken));
            }

            return await blobs.DeleteAsync(name, before, cancellationToken);
        }
    }
}
