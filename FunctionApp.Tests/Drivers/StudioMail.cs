using System.Globalization;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tests;

/// <summary>Accounts for Studio to show.</summary>
internal static class StudioMail
{
    /// <summary>The demo's events, of just now, and a few dead letters.</summary>
    public static async Task StoreDemoAsync(string account, DateTimeOffset now)
    {
        var events = new DemoEvents(now - DemoEvents.Span - TimeSpan.FromMinutes(1));
        await StoreAsync(
            account,
            [.. events.Forms().Select(it => it.ToForm()), .. events.Documents().Select(it => it.ToJson())],
            [
                new(DeadLetterReason.NoEvent, "The body names no event.", "{\"subject\":\"Hello\"}"),
                new(DeadLetterReason.NoEvent, "The body names no event.", "subject=Hello&from=shop%40example.com"),
                new(DeadLetterReason.Unparsable, "The body cannot be read: it is neither a form nor JSON.", "<html>Sign in</html>"),
                new(DeadLetterReason.BlobMissing, "The blob with the body is gone.", null),
            ],
            now,
            isCounted: true);
        await StoreAuditsAsync(account, now);
    }

    /// <summary>Nine days of audits: a bounce is missing on two of them, and on one a processed that may not be missing at all.</summary>
    public static async Task StoreAuditsAsync(string account, DateTimeOffset now)
    {
        var days = new TableClient(account, "Smtp2GoDays");
        await days.CreateIfNotExistsAsync(Test.Token);
        for (var ago = 5; ago < 14; ago++)
        {
            var day = new DayAudit(
                now.AddDays(-ago).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
                now.AddDays(5 - ago),
                [.. EventKind.All.Select((kind, i) => new AuditedKind(
                    kind, 1_234_567, (ago, i) is (6, 2) or (8, 3) ? 1_234_555 : (ago, i) is (7, 0) ? 1_000_000 : 1_234_567))]);
            await days.UpsertEntityAsync(day.ToRow(), cancellationToken: Test.Token);
        }
    }

    /// <summary>What <see cref="HostileMail"/> has.</summary>
    public static Task StoreHostileAsync(string account, DateTimeOffset now) => StoreAsync(
        account,
        [.. HostileMail.Bodies(now)],
        [.. HostileMail.Texts.SelectMany(HostileMail.DeadLettersOf)],
        now,
        isCounted: false);

    public static async Task<IReadOnlyList<DeadLetter>> DeadLettersAsync(string account) =>
        await new TableClient(account, DeadLetters.TableName)
            .QueryAsync<TableEntity>(cancellationToken: Test.Token)
            .Select(DeadLetter.Of)
            .ToListAsync(Test.Token);

    private static async Task StoreAsync(
        string account, IReadOnlyList<string> bodies, IReadOnlyList<KeptWebhook> dead, DateTimeOffset now, bool isCounted)
    {
        await using var app = await IngestApp.StartAsync(account);
        await Parallel.ForEachAsync(
            bodies,
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Test.Token },
            async (body, _) => await app.AcknowledgedAsync(body, body[0] == '{' ? "application/json" : null));
        var letters = app.Services.GetRequiredService<DeadLetters>();
        foreach (var (letter, i) in dead.Select((letter, i) => (letter, i)))
        {
            var webhook = new ReceivedWebhook(
                $"dead-{i}", now.AddMinutes(-i), letter.ContentType, letter.Body, letter.Body is null ? "gone" : null);
            await letters.KeepAsync(webhook, letter.Reason, letter.Error, Test.Token);
        }

        await app.DrainedAsync();
        if (isCounted)
        {
            await app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);
        }
    }
}

/// <summary>A webhook that becomes a dead letter; without a body, its blob is gone.</summary>
internal sealed record KeptWebhook(string Reason, string Error, string? Body, string ContentType = "application/json");
