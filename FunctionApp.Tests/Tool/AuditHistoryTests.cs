using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>What <c>check</c> says about the daily audits.</summary>
public sealed class AuditHistoryTests(AzuriteFixture azurite)
{
    private static readonly DateTimeOffset Now = new(2026, 5, 6, 12, 0, 0, TimeSpan.Zero);

    private readonly string account = azurite.NewAccount();

    [Fact]
    public async Task Without_an_audit_there_is_nothing_to_say()
    {
        Assert.Null(await FindingAsync());

        // A row that somebody else wrote.
        await StoreAsync(new TableEntity("audit", "2026-05-01"));
        Assert.Null(await FindingAsync());
    }

    [Fact]
    public async Task If_everything_is_stored_it_says_of_which_day_and_how_much()
    {
        await AuditedAsync("2026-04-30", Kind(1, 5, 5));
        await AuditedAsync("2026-05-01", Kind(1, 1_234, 1_234), Kind(2, 1, 3));

        Assert.Equal("True 2026-05-01: all 1,235 events of SMTP2GO are stored", await FindingAsync());
    }

    [Fact]
    public async Task A_processed_that_SMTP2GO_has_more_often_is_not_missing()
    {
        await AuditedAsync("2026-05-01", Kind(0, 900, 300), Kind(1, 12, 12));

        Assert.Equal(
            "True 2026-05-01: all 12 events of SMTP2GO are stored, apart from processed, which it may list for each recipient",
            await FindingAsync());
    }

    [Fact]
    public async Task What_is_missing_is_a_problem_and_names_the_command()
    {
        await AuditedAsync("2026-04-30", Kind(1, 5, 5));
        await AuditedAsync("2026-05-01", Kind(0, 900, 300), Kind(1, 12, 10), Kind(5, 4, 9), Kind(6, 1, 0));

        Assert.Equal(
            "False 2026-05-01: at least 3 events that SMTP2GO has are not stored; `smtp2go-ingest reconcile 2026-05-01` lists them",
            await FindingAsync());
    }

    [Fact]
    public async Task Of_several_days_only_the_last_seven_count()
    {
        await AuditedAsync("2026-04-24", Kind(1, 1_000, 0));
        for (var day = 25; day <= 30; day++)
        {
            await AuditedAsync($"2026-04-{day}", day is 26 or 29 ? Kind(1, 4, 3) : Kind(1, 4, 4));
        }

        await AuditedAsync("2026-05-01", Kind(1, 4, 4));

        Assert.Equal(
            "False 2026-04-26, 2026-04-29: at least 2 events that SMTP2GO has are not stored; "
            + "`smtp2go-ingest reconcile 2026-04-26 2026-04-29` lists them",
            await FindingAsync());
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public async Task An_audit_that_has_stopped_is_a_problem(int days, bool isOk)
    {
        await AuditedAsync("2026-05-01", Kind(1, 4, 4));

        var finding = await FindingAsync(Now.AddDays(days).AddHours(-8));

        Assert.StartsWith($"{isOk} 2026-05-01: all 4 events of SMTP2GO are stored", finding, StringComparison.Ordinal);
        Assert.Equal(
            !isOk,
            finding!.EndsWith(
                ". The last audit was on 2026-05-06\u00a004:15:00 (UTC). AuditDay should run every day: look at the app's log",
                StringComparison.Ordinal));
    }

    private static AuditedKind Kind(int i, long inSmtp2Go, long stored) => new(EventKind.All[i], inSmtp2Go, stored);

    private Task AuditedAsync(string day, params AuditedKind[] kinds) =>
        StoreAsync(new DayAudit(day, Now.AddHours(-7.75), kinds).ToRow());

    private async Task StoreAsync(TableEntity row)
    {
        var days = new TableClient(account, "Smtp2GoDays");
        await days.CreateIfNotExistsAsync(Test.Token);
        await days.UpsertEntityAsync(row, cancellationToken: Test.Token);
    }

    /// <summary>Null if there is none.</summary>
    private async Task<string?> FindingAsync(DateTimeOffset? now = null)
    {
        var run = await ToolRun.RunAsync(account, now ?? Now, "check", "--json");
        var finding = run.Json.SingleOrDefault(line => (string?)line["check"] == "audit");
        Assert.Equal(finding is null || (bool)finding["ok"]! ? 0 : 1, run.ExitCode);
        return finding is JsonNode found ? $"{(bool)found["ok"]!} {(string?)found["detail"]}" : null;
    }
}
