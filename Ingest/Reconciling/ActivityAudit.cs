using System.Globalization;
using Azure;
using Azure.Data.Tables;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Reconciling;

/// <summary>Compares, for a whole day, how many events SMTP2GO has with how many are stored: ten calls, and no event is read.</summary>
public sealed partial class ActivityAudit(
    Smtp2GoClient smtp2Go,
    TableServiceClient service,
    IOptions<Smtp2GoOptions> options,
    IOptions<EventsOptions> events,
    IngestMetrics metrics,
    TimeProvider time,
    ILogger<ActivityAudit> logger)
{
    /// <summary>
    /// When it runs: every day at a quarter past four, UTC. The day that became settled at four is then as complete as it can be on
    /// SMTP2GO's free plan, which keeps 120 hours.
    /// </summary>
    public const string Schedule = "0 15 4 * * *";

    // After an outage of this app, or of SMTP2GO's API. What is older is a matter for `reconcile`.
    private const int MostDays = 7;

    private readonly TableClient days = service.GetTableClient(DaysTable.TableName);
    private readonly StoredActivity stored = new(service);

    /// <summary>
    /// Audits the newest settled day and those before it that an audit has missed, recounts what was missing, and reports what still is.
    /// Does nothing without a key.
    /// </summary>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task AuditDueAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.HasKey)
        {
            return;
        }

        if (options.Value.IsUnresolved)
        {
            throw new Smtp2GoException(
                "Smtp2Go__ApiKey is a Key Vault reference that was not resolved. "
                + "Check the secret's name and the app's access to the vault.",
                0);
        }

        var newest = DateOnly.FromDateTime((time.GetUtcNow() - ReconcileWindow.Settled).UtcDateTime).AddDays(-1);
        var firstKept = events.Value.FirstDayKept(time.GetUtcNow());
        var audits = await ReadAsync(newest.AddDays(1 - MostDays), cancellationToken);

        // Before the first audit none was missed: perhaps this app was not there yet.
        var firstAudited = await FirstDayAsync(cancellationToken);
        var first = firstAudited ?? ToText(newest);
        var firstStored = firstAudited is null ? await stored.FirstDayAsync(cancellationToken) : null;

        // The newest first: SMTP2GO may refuse an older one that its plan does not keep.
        var missing = EventKind.All.ToDictionary(kind => kind, _ => 0L);
        foreach (var date in Enumerable.Range(0, MostDays).Select(ago => newest.AddDays(-ago)))
        {
            var (day, before) = (ToText(date), date == newest ? null : audits.GetValueOrDefault(ToText(date)));
            if (before is { MissingForSure: 0 } || (date != newest && string.CompareOrdinal(day, first) < 0))
            {
                continue;
            }

            if (string.CompareOrdinal(day, firstStored) <= 0 && firstStored != (firstKept is { } kept ? ToText(kept) : null))
            {
                // The app was set up on that day or later. That it is not audited must not look like an audit that failed.
                EventKind.All.ToList().ForEach(kind => metrics.Missing(kind.Event, kind.Bounce, missing[kind]));
                continue;
            }

            if (date < firstKept)
            {
                Log.Deleted(logger, day, events.Value.RetentionDays);
                return;
            }

            var audit = before is null ? await AuditAsync(day, cancellationToken) : await CountAgainAsync(before, cancellationToken);
            foreach (var kind in audit.Kinds)
            {
                // A gauge keeps only its last value, which is then that of all days of this run.
                missing[kind.Kind] += kind.Missing;
                metrics.Missing(kind.Kind.Event, kind.Kind.Bounce, missing[kind.Kind]);
            }
        }
    }

    /// <summary>Audits one day and writes its row.</summary>
    /// <exception cref="Smtp2GoException">SMTP2GO did not answer, or refused.</exception>
    /// <exception cref="RequestFailedException">Storage failed.</exception>
    public async Task<DayAudit> AuditAsync(string day, CancellationToken cancellationToken)
    {
        var from = DateTimeOffset.ParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var inSmtp2Go = new Dictionary<EventKind, long>();
        foreach (var kind in EventKind.All)
        {
            inSmtp2Go[kind] = await smtp2Go.CountActivityAsync(from, from.AddDays(1), kind, cancellationToken);
        }

        return await CompareAsync(day, time.GetUtcNow(), inSmtp2Go, cancellationToken);
    }

    // By what SMTP2GO had then: its free plan does not have all of it any more.
    private Task<DayAudit> CountAgainAsync(DayAudit before, CancellationToken cancellationToken) => CompareAsync(
        before.Day, before.AuditedAt, before.Kinds.ToDictionary(kind => kind.Kind, kind => kind.InSmtp2Go), cancellationToken);

    private async Task<DayAudit> CompareAsync(
        string day, DateTimeOffset auditedAt, Dictionary<EventKind, long> inSmtp2Go, CancellationToken cancellationToken)
    {
        var counts = await stored.CountDayAsync(day, cancellationToken);
        var audit = new DayAudit(
            day, auditedAt, [.. EventKind.All.Select(kind => new AuditedKind(kind, inSmtp2Go[kind], counts.GetValueOrDefault(kind)))]);
        await days.CreatingIfMissing(
            table => table.UpsertEntityAsync(audit.ToRow(), TableUpdateMode.Replace, cancellationToken), cancellationToken);
        var (all, ours) = (audit.Kinds.Sum(kind => kind.InSmtp2Go), audit.Kinds.Sum(kind => kind.Stored));
        var level = audit.MissingForSure == 0 ? LogLevel.Information : LogLevel.Warning;
        Log.Audited(logger, level, day, all, ours, audit.MissingForSure);
        return audit;
    }

    private async Task<string?> FirstDayAsync(CancellationToken cancellationToken) => (await days.RowsIfExistAsync(
            TableClient.CreateQueryFilter($"PartitionKey eq {DayAudit.Partition}"), ["RowKey"], cancellationToken)
        .FirstOrDefaultAsync(cancellationToken))?.RowKey;

    private async Task<Dictionary<string, DayAudit>> ReadAsync(DateOnly from, CancellationToken cancellationToken) =>
        await days.RowsIfExistAsync(
                TableClient.CreateQueryFilter($"PartitionKey eq {DayAudit.Partition} and RowKey ge {ToText(from)}"),
                null,
                cancellationToken)
            .Select(DayAudit.Of)
            .OfType<DayAudit>()
            .ToDictionaryAsync(audit => audit.Day, StringComparer.Ordinal, cancellationToken);

    private static string ToText(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static partial class Log
    {
        [LoggerMessage(
            EventId = 510,
            Message = "Audit of {Day}: {InSmtp2Go} events in SMTP2GO, {Stored} stored, at least {Missing} missing, processed aside.")]
        public static partial void Audited(ILogger logger, LogLevel level, string day, long inSmtp2Go, long stored, long missing);

        [LoggerMessage(
            511, LogLevel.Information, "{Day} is not audited, nor any day before it: its events are deleted after {RetentionDays} days.")]
        public static partial void Deleted(ILogger logger, string day, int retentionDays);
    }
}
