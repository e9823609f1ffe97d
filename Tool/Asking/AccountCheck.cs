using System.Globalization;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Data.Tables.Models;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Can queues, tables and blobs be reached, and is the app keeping up?</summary>
internal sealed class AccountCheck(QueueServiceClient queues, TableServiceClient tables, BlobServiceClient blobs, TimeProvider time)
{
    /// <summary>The name of the first finding. If that is a problem, there are no others.</summary>
    public const string Connection = "connection";

    public const string Queue = $"queue {WebhookQueue.Name}";

    public const string PoisonQueue = $"queue {WebhookQueue.PoisonName}";

    public const string DeadLetters = $"table {Storing.DeadLetters.TableName}";

    /// <summary>Dead letters are counted up to this.</summary>
    public const int MostCounted = 1_000;
    private const int DaysLookedAt = 30;

    // Storing takes seconds, and a failed try is repeated after 30.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    // For each check. They run in parallel, so all of them take little longer.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    /// <summary>Ends after the first finding without a connection: what was not reached is not reported.</summary>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var where = $"account {tables.AccountName} at {tables.Uri.Authority}";
        var first = await TryAsync(Queue, MainQueueAsync, cancellationToken);
        if (!first.IsConnected)
        {
            yield return new Finding(Connection, false, $"{where}: {first.Detail}");
            yield break;
        }

        yield return new Finding(Connection, true, where);
        yield return first;
        List<Task<Finding>> others =
        [
            TryAsync(PoisonQueue, PoisonQueueAsync, cancellationToken),
            .. new[] { EventStore.TableName, EventIndex.ByRecipientTable, EventIndex.ByDayTable }.Select(table =>
                TryAsync($"table {table}", (ok, token) => TableAsync(ok, table, token), cancellationToken)),
            TryAsync(DeadLetters, DeadLettersAsync, cancellationToken),
            TryAsync($"container {WebhookBlobs.ContainerName}", ContainerAsync, cancellationToken),
            TryAsync("events", EventsAsync, cancellationToken),
            TryAsync(
                "audit", async (ok, token) => (await AuditHistory.ReadAsync(tables, token)).Judge(ok, time.GetUtcNow()), cancellationToken),
        ];
        foreach (var look in others)
        {
            if (await look is { Detail.Length: > 0 } finding)
            {
                yield return finding;
            }
        }
    }

    private static async Task<Finding> TryAsync(
        string check, Func<Finding, CancellationToken, Task<Finding>> look, CancellationToken cancellationToken)
    {
        var ok = new Finding(check, true, "exists");
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(Timeout);
        try
        {
            return await look(ok, timeout.Token);
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
            var isSlow = timeout.IsCancellationRequested;
            return ok with
            {
                Ok = false,
                Detail = isSlow ? $"Storage did not answer within {Timeout.TotalSeconds} seconds. Check the network." : problem,
                IsConnected = !isSlow && HasAccess(e),
            };
        }
    }

    // Storage has answered and knows who is asking. A missing role is a problem of one service only.
    private static bool HasAccess(Exception e) =>
        e is RequestFailedException { Status: not (0 or 401 or 403) }
            or RequestFailedException { ErrorCode: "AuthorizationPermissionMismatch" };

    private Task<Finding> MainQueueAsync(Finding ok, CancellationToken cancellationToken) =>
        QueueAsync(ok with { Detail = "empty" }, queues.GetQueueClient(WebhookQueue.Name), "is the app running?", cancellationToken);

    private Task<Finding> PoisonQueueAsync(Finding ok, CancellationToken cancellationToken) => QueueAsync(
        ok with { Detail = "empty" },
        queues.GetQueueClient(WebhookQueue.PoisonName),
        "KeepPoison should have turned them into dead letters; is the app running?",
        cancellationToken);

    private async Task<Finding> ContainerAsync(Finding ok, CancellationToken cancellationToken)
    {
        await blobs.GetBlobContainerClient(WebhookBlobs.ContainerName).GetPropertiesAsync(cancellationToken: cancellationToken);
        return ok;
    }

    private static async Task<Finding> QueueAsync(Finding empty, QueueClient queue, string hint, CancellationToken cancellationToken)
    {
        var look = await QueueLook.AtAsync(queue, cancellationToken);
        if (look.Depth == 0)
        {
            return empty with { Messages = 0 };
        }

        var hidden = look.AllHidden ? ", being processed or waiting for their next try" : null;
        var what = Invariant($"{look.Depth:N0} message{(look.Depth == 1 ? null : "s")}{hidden}");
        if (look.Age is not { } age)
        {
            return empty with { Detail = what, Messages = look.Depth };
        }

        var seconds = Math.Max(0, Math.Round(age.TotalSeconds));
        var ok = seconds <= MaxAge.TotalSeconds;
        var detail = Invariant($"{what}, the oldest {seconds} s old");
        return empty with { Ok = ok, Detail = ok ? detail : $"{detail}: {hint}", Messages = look.Depth, OldestSeconds = seconds };
    }

    private async Task<Finding> TableAsync(Finding ok, string name, CancellationToken cancellationToken) =>
        (await FirstPageAsync(name, null, 1, cancellationToken)).Values.Count == 0 ? ok with { Detail = "exists, empty" } : ok;

    private async Task<Finding> DeadLettersAsync(Finding ok, CancellationToken cancellationToken)
    {
        var page = await FirstPageAsync(Storing.DeadLetters.TableName, null, MostCounted, cancellationToken);
        var count = page.Values.Count;
        return count == 0
            ? ok with { Detail = "no dead letters", DeadLetters = 0 }
            : ok with
            {
                Detail = Invariant($"{count:N0}{(page.ContinuationToken is null ? null : "+")} dead letter{(count == 1 ? null : "s")}; ")
                    + "`smtp2go-ingest dead-letters list` shows them",
                DeadLetters = count,
            };
    }

    /// <summary>An account in which nothing has arrived looks as healthy as one that works; this tells them apart.</summary>
    private async Task<Finding> EventsAsync(Finding ok, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        if ((await FirstPageAsync(EventStore.TableName, null, 1, cancellationToken, isEmptyWithoutTable: true)).Values.Count == 0)
        {
            return ok with { Detail = "none stored yet: no webhook has arrived, or it is still waiting" };
        }

        // By the time when they happened: no key has the time when a row was stored.
        var span = new TimeWindow(now.AddHours(-1), now.AddHours(1));
        var lastHour = EventName.OfEmails
            .SelectMany(name => EventQueries.OfSpan(span, name))
            .Select(filter => FirstPageAsync(EventIndex.ByDayTable, filter, 1, cancellationToken, isEmptyWithoutTable: true));
        if ((await Task.WhenAll(lastHour)).Any(page => page.Values.Count > 0))
        {
            return ok with { Detail = "the last one happened within the last hour" };
        }

        foreach (var day in DayRange.LastDays(DaysLookedAt, today).Days.Reverse().Select(DayRange.ToText))
        {
            if ((await FirstPageAsync(
                EventIndex.ByDayTable, EventQueries.OfDays(day, day), 1, cancellationToken, isEmptyWithoutTable: true)).Values.Count > 0)
            {
                return ok with { Detail = $"the last one happened on {day} (UTC)" };
            }
        }

        return ok with { Detail = $"none in the last {DaysLookedAt} days" };
    }

    private async Task<Page<TableEntity>> FirstPageAsync(
        string table, string? filter, int most, CancellationToken cancellationToken, bool isEmptyWithoutTable = false)
    {
        try
        {
            var pages = tables
                .GetTableClient(table)
                .QueryAsync<TableEntity>(filter, maxPerPage: most, select: ["PartitionKey"], cancellationToken: cancellationToken)
                .AsPages();

            // An empty page may come before one with rows.
            Page<TableEntity>? last = null;
            await foreach (var page in pages.WithCancellation(cancellationToken))
            {
                last = page;
                if (page.Values.Count > 0)
                {
                    break;
                }
            }

            return last!;
        }
        catch (RequestFailedException e) when (isEmptyWithoutTable && e.ErrorCode == TableErrorCode.TableNotFound)
        {
            return Page<TableEntity>.FromValues([], null, null!);
        }
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
