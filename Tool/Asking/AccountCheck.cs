using System.Globalization;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Can queues, tables and blobs be reached, and is the app keeping up?</summary>
internal sealed class AccountCheck(QueueServiceClient queues, TableServiceClient tables, BlobServiceClient blobs)
{
    // Storing takes seconds, and a failed try is repeated after 30.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        yield return new Finding("connection", true, $"account {tables.AccountName}");
        yield return await TryAsync(new($"queue {WebhookQueue.Name}", true, "empty"), ok =>
            QueueAsync(ok, queues.GetQueueClient(WebhookQueue.Name), "is the app running?", cancellationToken));
        yield return await TryAsync(new($"queue {WebhookQueue.PoisonName}", true, "empty"), ok =>
            QueueAsync(
                ok,
                queues.GetQueueClient(WebhookQueue.PoisonName),
                "KeepPoison should have turned them into dead letters; is the app running?",
                cancellationToken));
        foreach (var table in new[] { EventStore.TableName, EventIndex.ByRecipientTable, EventIndex.ByDayTable, DeadLetters.TableName })
        {
            yield return await TryAsync(new($"table {table}", true, "exists"), ok => TableAsync(ok, table, cancellationToken));
        }

        yield return await TryAsync(new($"container {WebhookBlobs.ContainerName}", true, "exists"), async ok =>
        {
            await blobs.GetBlobContainerClient(WebhookBlobs.ContainerName).GetPropertiesAsync(cancellationToken: cancellationToken);
            return ok;
        });

        async Task<Finding> TryAsync(Finding ok, Func<Finding, Task<Finding>> look)
        {
            try
            {
                return await look(ok);
            }
            catch (RequestFailedException e)
                when (e.ErrorCode == QueueErrorCode.QueueNotFound
                    || e.ErrorCode == BlobErrorCode.ContainerNotFound
                    || e.ErrorCode == TableErrorCode.TableNotFound)
            {
                return ok with { Detail = "does not exist yet (created on first use)" };
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested && FailureText.Explain(e) is { } problem)
            {
                return ok with { Ok = false, Detail = problem };
            }
        }
    }

    private static async Task<Finding> QueueAsync(Finding empty, QueueClient queue, string hint, CancellationToken cancellationToken)
    {
        var look = await QueueLook.AtAsync(queue, cancellationToken);
        if (look.Depth == 0)
        {
            return empty with { Messages = 0 };
        }

        var what = Invariant($"{look.Depth} messages{(look.AllHidden ? ", being processed or waiting for their next try" : string.Empty)}");
        if (look.Age is not { } age)
        {
            return empty with { Detail = what, Messages = look.Depth };
        }

        var seconds = Math.Max(0, Math.Round(age.TotalSeconds));
        var ok = seconds <= MaxAge.TotalSeconds;
        var detail = Invariant($"{what}, the oldest {seconds} s old");
        return empty with { Ok = ok, Detail = ok ? detail : $"{detail}: {hint}", Messages = look.Depth, OldestSeconds = seconds };
    }

    private async Task<Finding> TableAsync(Finding ok, string name, CancellationToken cancellationToken)
    {
        var first = tables
            .GetTableClient(name)
            .QueryAsync<TableEntity>(maxPerPage: 1, select: ["PartitionKey"], cancellationToken: cancellationToken);
        await foreach (var page in first.AsPages())
        {
            return page.Values.Count == 0 ? ok with { Detail = "exists, empty" }
                : name == DeadLetters.TableName ? ok with { Detail = "has dead letters; `smtp2go-ingest dead-letters list` shows them" }
                : ok;
        }

        return ok with { Detail = "exists, empty" };
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <param name="Check">What was looked at.</param>
/// <param name="Messages">How many messages a queue holds, hidden ones included.</param>
/// <param name="OldestSeconds">How long the oldest message known has waited.</param>
internal sealed record Finding(string Check, bool Ok, string Detail, int? Messages = null, double? OldestSeconds = null);
