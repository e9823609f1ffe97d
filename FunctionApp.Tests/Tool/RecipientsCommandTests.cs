using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>Who must not be mailed, for people and for a CRM.</summary>
public sealed class RecipientsCommandTests(RecipientsCommandTests.StoredRecipients stored)
    : IClassFixture<RecipientsCommandTests.StoredRecipients>, IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 5, 31, 12, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("smtp2go-ingest-recipients-");

    private string Path => System.IO.Path.Combine(folder.FullName, "stop.csv");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public async Task Whom_must_not_be_mailed_is_listed_by_domain_and_address()
    {
        var run = await RunAsync("recipients", "--utc");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(
            """
            Recipient        State          Since (UTC)          Class              Last delivered
            Bob@Example.net  hard-bounced   2026-05-30 09:00:00  invalid-recipient  2026-05-01 08:00:00
            cleo@example.net soft-bouncing  2026-05-03 09:00:00  mailbox-full
            dora@example.org complained     2026-05-20 09:00:00
            +6421555012      unsubscribed   2026-05-29 09:00:00
            """.Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))),
            run.Output.TrimEnd('\n').Split('\n').Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries))));
    }

    [Theory]
    [InlineData("Bob@Example.net,cleo@example.net,dora@example.org,+6421555012")]
    [InlineData("Bob@Example.net", "--state", "hard-bounced")]
    [InlineData("Bob@Example.net,dora@example.org", "--state", "hard-bounced", "--state", "complained", "--state", "complained")]
    [InlineData("ada@example.org", "--state", "active")]
    [InlineData("Bob@Example.net,cleo@example.net", "--domain", "example.net")]
    [InlineData("dora@example.org", "--domain", " @Example.ORG")]
    [InlineData("+6421555012", "--domain", "no-domain")]
    [InlineData("Bob@Example.net,+6421555012", "--since", "3d")]
    [InlineData("Bob@Example.net", "--since", "2026-05-30")]
    [InlineData("dora@example.org", "--since", "15d", "--domain", "example.org", "--state", "complained")]
    [InlineData("Bob@Example.net", "--class", "invalid-recipient")]
    [InlineData("Bob@Example.net,cleo@example.net", "--class", "invalid-recipient", "--class", "mailbox-full", "--class", "mailbox-full")]
    [InlineData("Bob@Example.net", "--state", "hard-bounced", "--class", "invalid-recipient", "--class", "mailbox-full")]
    [InlineData("ada@example.org", "--state", "active", "--class", "invalid-recipient")]
    [InlineData("Bob@Example.net,cleo@example.net", "--limit", "2")]
    [InlineData("Bob@Example.net,cleo@example.net,dora@example.org,+6421555012", "--limit", "4")]
    public async Task It_lists_only_what_is_asked_for(string expected, params string[] asked)
    {
        var json = await RunAsync(["recipients", "--json", .. asked]);
        var text = await RunAsync(["recipients", .. asked]);
        var csv = await RunAsync(["recipients", "--format", "csv", "--exact", .. asked]);

        Assert.Equal((0, 0, 0), (json.ExitCode, text.ExitCode, csv.ExitCode));
        Assert.Equal(expected.Split(','), json.Json.Select(row => (string)row["Recipient"]!));
        Assert.Equal(expected.Split(','), text.Output.Split('\n').Skip(1).SkipLast(1).Select(line => line.Split(' ')[0]));
        Assert.Equal(expected.Split(','), csv.Output.Split('\n').Skip(1).SkipLast(1).Select(line => line.Split(',')[2]));
        Assert.All(
            new[] { json, text, csv },
            run => Assert.Equal(asked is ["--limit", "2"] ? "Showing the first 2; there are more.\n" : string.Empty, run.Error));
    }

    [Fact]
    public async Task For_a_spreadsheet_nothing_is_a_formula_and_for_a_program_everything_is_exact()
    {
        const string Header = "PartitionKey,RowKey,Recipient,State,StateSince,LastEvent,BounceClass,LastDelivered\n";

        var safe = await RunAsync("recipients", "--format", "csv", "--domain", "no-domain");
        var exact = await RunAsync("recipients", "--format", "csv", "--exact", "--domain", "no-domain");
        var bob = await RunAsync("recipients", "--format", "csv", "--exact", "--state", "hard-bounced");

        const string Rest = "unsubscribed,2026-05-29T09:00:00Z,opt-out,,\n";
        Assert.Equal($"\ufeff{Header}no-domain,'+6421555012,'+6421555012,{Rest}", safe.Output);
        Assert.Equal($"{Header}no-domain,+6421555012,+6421555012,{Rest}", exact.Output);
        Assert.Equal(
            $"{Header}example.net,bob@example.net,Bob@Example.net,hard-bounced,2026-05-30T09:00:00Z,bounce,invalid-recipient,"
            + "2026-05-01T08:00:00Z\n",
            bob.Output);
    }

    [Fact]
    public async Task Ndjson_is_the_same_as_json() =>
        Assert.Equal((await RunAsync("recipients", "--json")).Output, (await RunAsync("recipients", "--format", "ndjson")).Output);

    [Fact]
    public async Task A_file_is_written_whole_and_not_at_all_if_nothing_is_found()
    {
        Assert.Equal(3, (await RunAsync("recipients", "--format", "csv", "--output", Path, "--state", "suppressed")).ExitCode);
        Assert.Empty(folder.GetFiles());

        await File.WriteAllTextAsync(Path, "yesterday's", Test.Token);
        var run = await RunAsync("recipients", "--format", "csv", "--output", Path);

        Assert.Equal((0, string.Empty), (run.ExitCode, run.Output));
        Assert.Equal((await RunAsync("recipients", "--format", "csv")).Output, $"\ufeff{await File.ReadAllTextAsync(Path, Test.Token)}");
        Assert.Single(folder.GetFiles());
    }

    [Theory]
    [InlineData("No recipients found that are suppressed.", "--state", "suppressed")]
    [InlineData(
        "No recipients found that are suppressed or complained at 'nowhere.example'.",
        "--state", "suppressed", "--state", "complained", "--domain", "Nowhere.example")]
    [InlineData("No recipients found since then.", "--since", "1m")]
    [InlineData("No recipients found that are hard-bounced of class blocked.", "--state", "hard-bounced", "--class", "blocked")]
    public async Task Nothing_found_says_what_was_asked(string error, params string[] asked)
    {
        foreach (var format in new[] { "text", "csv", "ndjson" })
        {
            var run = await RunAsync(["recipients", "--format", format, .. asked]);

            Assert.Equal((3, string.Empty, $"{error}\n"), (run.ExitCode, run.Output, run.Error));
        }
    }

    [Fact]
    public async Task Without_the_table_nobody_is_found() =>
        Assert.Equal("No recipients found.\n", (await ToolRun.RunAsync(stored.NewAccount(), Now, "recipients")).Error);

    [Theory]
    [InlineData(
        "'hardbounced' is not one of active, complained, hard-bounced, soft-bouncing, suppressed, unsubscribed. "
        + "Did you mean 'hard-bounced'?",
        "--state", "hardbounced")]
    [InlineData(
        "'invalid-recipients' is not one of authentication, blocked, content, invalid-recipient, mailbox-full, other, sandboxed, "
        + "sender-not-verified, suppressed, throttled, too-large, unreachable. Did you mean 'invalid-recipient'?",
        "--class", "invalid-recipients")]
    [InlineData("--exact goes with --format csv: ndjson is always exact.", "--exact")]
    [InlineData("--output goes with --format csv or ndjson.", "--output", "x")]
    [InlineData("--output must name a file; leave it out for standard output.", "--format", "csv", "--output", " ")]
    [InlineData("--json and --format csv are two formats: leave one out.", "--json", "--format", "csv")]
    [InlineData("--domain must name a domain, such as example.org.", "--domain", " @ ")]
    public async Task What_makes_no_sense_is_refused(string error, params string[] asked)
    {
        var run = await RunAsync(["recipients", .. asked]);

        Assert.Equal((2, string.Empty, $"{error} See smtp2go-ingest recipients --help.\n"), (run.ExitCode, run.Output, run.Error));
    }

    [Theory]
    [InlineData(
        "bob@example.net",
        "Mail to bob@example.net does not arrive: it bounced for good on 2026-05-30 09:00:00 (550 5.1.1 no such user); "
        + "the last delivery was on 2026-05-01 08:00:00.",
        "State  hard-bounced since 2026-05-30 09:00:00 (invalid-recipient)")]
    [InlineData(
        "cleo@example.net",
        "Mail to cleo@example.net may not arrive: the last 3 emails were soft bounces, most recently on 2026-05-03 09:00:00 "
        + "(452 4.2.2 mailbox full); nothing was ever delivered to it.",
        "State  soft-bouncing since 2026-05-03 09:00:00 (mailbox-full)")]
    [InlineData(
        "ada@example.org",
        "Mail to ada@example.org arrives: the last delivery was on 2026-05-03 09:00:00.",
        "State  active since 2026-05-03 09:00:00")]
    [InlineData(
        "+6421555012",
        "Mail to +6421555012 should not be sent: it unsubscribed on 2026-05-29 09:00:00; nothing was ever delivered to it.",
        "State  unsubscribed since 2026-05-29 09:00:00")]
    public async Task The_history_of_an_address_ends_with_its_state_and_why(string address, string why, string state)
    {
        var run = await RunAsync("recipient", address);

        Assert.EndsWith($"\n{why}\n\n{state}\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_without_a_state_has_only_the_sentence()
    {
        var run = await RunAsync("recipient", "emil@example.org");

        Assert.EndsWith(
            "\nMail to emil@example.org arrives: the last delivery was on 2026-05-01 08:00:00.\n", run.Output, StringComparison.Ordinal);
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.RunAsync(stored.ConnectionString, Now, args);

    public sealed class StoredRecipients(AzuriteFixture azurite) : IAsyncLifetime
    {
        private static readonly string[] Events =
        [
            "delivered&rcpt=bob@example.net&time=2026-05-01T08:00:00Z",
            "bounce&bounce=hard&rcpt=Bob@Example.net&message=550 5.1.1 no such user&time=2026-05-30T09:00:00Z",
            "bounce&bounce=soft&rcpt=cleo@example.net&message=452 4.2.2 mailbox full&time=2026-05-01T09:00:00Z",
            "bounce&bounce=soft&rcpt=cleo@example.net&message=452 4.2.2 mailbox full&time=2026-05-02T09:00:00Z",
            "bounce&bounce=soft&rcpt=cleo@example.net&message=452 4.2.2 mailbox full&time=2026-05-03T09:00:00Z",
            "spam&rcpt=dora@example.org&time=2026-05-20T09:00:00Z",
            "opt-out&destination_number=%2B6421555012&received_timestamp=2026-05-29T09:00:00Z",
            "bounce&bounce=hard&rcpt=ada@example.org&message=550 5.1.1 no such user&time=2026-05-02T09:00:00Z",
            "delivered&rcpt=ada@example.org&time=2026-05-03T09:00:00Z",
            "delivered&rcpt=emil@example.org&time=2026-05-01T08:00:00Z",
        ];

        public string ConnectionString { get; } = azurite.NewAccount();

        public string NewAccount() => azurite.NewAccount();

        public async ValueTask InitializeAsync()
        {
            await using var app = await IngestApp.StartAsync(ConnectionString);
            foreach (var (e, i) in Events.Select((e, i) => (e, i)))
            {
                await app.AcknowledgedAsync($"event={e}&id={i}{(e[..3] == "opt" ? "&message_id=s1" : $"&email_id=e{i}")}");
            }

            await app.DrainedAsync();
            await app.Services.GetRequiredService<Recipients>().RefreshAsync(Test.Token);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
