using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Tests.Tool;

/// <summary>The answers over more than 10,000 events equal the truth.</summary>
[Collection(GeneratedEvents.Tests)]
public sealed class QueryTests(GeneratedEvents events)
{
    [Fact]
    public void The_events_are_many() => Assert.True(events.All.Count >= 10_000, $"{events.All.Count}");

    [Theory]
    [InlineData("1w00010-abc")]
    [InlineData("1w00003-abc")]
    [InlineData(GeneratedEvents.LongEmail)]
    public async Task An_email_is_its_timeline(string emailId)
    {
        var run = await RunAsync("email", emailId, "--json");

        Assert.Equal(0, run.ExitCode);
        Assert.Equal(events.All.Where(e => e.EmailId == emailId).OrderBy(e => e.Time).Select(e => e.Id), Ids(run));
        Assert.All(run.Json, row => Assert.NotNull(row["Body"]));
    }

    [Theory]
    [InlineData("user4@example.org")]
    [InlineData("USER5@EXAMPLE.ORG")]
    [InlineData(GeneratedEvents.BusyAddress)]
    [InlineData("other@example.org")]
    public async Task A_recipient_has_everything_that_was_sent_to_it(string address)
    {
        var run = await RunAsync("recipient", address, "--json");

        Assert.Equal(0, run.ExitCode);
        AssertSame(events.All.Where(e => e.Recipients.Contains(address.ToLowerInvariant())), run);
    }

    [Theory]
    [InlineData("2026-05-20", "2026-05-20T00:00:00Z")]
    [InlineData("7d", "2026-05-24T12:00:00Z")]
    [InlineData("36h", "2026-05-30T00:00:00Z")]
    [InlineData("90m", "2026-05-31T10:30:00Z")]
    public async Task A_recipient_since_a_time_has_only_events_since_then(string since, string expected)
    {
        var run = await RunAsync("recipient", "user5@example.org", "--since", since, "--json");

        var from = DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0, run.ExitCode);
        AssertSame(events.All.Where(e => e.Recipients.Contains("user5@example.org") && e.Time >= from), run);
    }

    [Fact]
    public async Task Since_a_time_leaves_out_events_without_one()
    {
        var run = await RunAsync("recipient", "other@example.org", "--since", "2026-01-01", "--json");

        AssertSame(events.All.Where(e => e.EmailId == "1wother"), run);
    }

    [Theory]
    [InlineData("2026-05-20", null)]
    [InlineData("2026-05-31", null)]
    [InlineData("2026-05-21", "bounce")]
    [InlineData("2026-05-20", "clicked")]
    [InlineData("2026-05-31", "unsubscribe")]
    [InlineData("2026-05-31", GeneratedEvents.OtherEvent)]
    public async Task A_day_has_its_events(string day, string? eventName)
    {
        var run = await RunAsync(eventName is null ? ["day", day, "--json"] : ["day", day, "--event", eventName, "--json"]);

        Assert.Equal(0, run.ExitCode);
        AssertSame(
            events.All.Where(e =>
                e.Day == day && (eventName is null || e.Name == eventName.Replace("clicked", "click", StringComparison.Ordinal))),
            run);
    }

    [Fact]
    public async Task Today_is_the_day_unless_another_is_given()
    {
        var run = await RunAsync("day", "--event", "spam", "--json");

        AssertSame(events.All.Where(e => e.Day == "2026-05-31" && e.Name == "spam"), run);
    }

    [Fact]
    public async Task Events_without_a_time_have_a_day_of_their_own()
    {
        var run = await RunAsync("day", "no-time", "--json");

        AssertSame(events.All.Where(e => e.Time is null), run);
    }

    [Theory]
    [InlineData(30)]
    [InlineData(1)]
    [InlineData(7)]
    public async Task A_summary_has_the_true_counts_and_rates(int days)
    {
        var run = await RunAsync("summary", "--days", $"{days}", "--json");

        var from = GeneratedEvents.Now.AddDays(1 - days).Date;
        var covered = events.All.Where(e => e.Time?.Date >= from && e.Time?.Date <= GeneratedEvents.Now.Date).ToList();
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(days + 1, run.Json.Count);
        foreach (var line in run.Json.SkipLast(1))
        {
            AssertTally(covered.Where(e => e.Day == (string?)line["day"]), line);
        }

        AssertTally(covered, run.Json[^1]);
        Assert.Equal("2026-05-31", (string?)run.Json[^1]["to"]);
        Assert.Equal($"{from:yyyy-MM-dd}", (string?)run.Json[^1]["from"]);
    }

    [Fact]
    public async Task A_summary_for_people_draws_bars()
    {
        var run = await RunAsync("summary");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("█", run.Output, StringComparison.Ordinal);
        Assert.Contains("Delivery rate", run.Output, StringComparison.Ordinal);
        Assert.Equal(30, run.Output.Split('\n').Count(line => line.StartsWith("2026-05-", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task People_get_every_row_in_pages_and_nothing_that_steers_their_terminal()
    {
        var run = await RunAsync("email", GeneratedEvents.LongEmail);
        Assert.Equal(1_300, run.Output.Split('\n').Count(line => line.Contains("shop.example.com", StringComparison.Ordinal)));

        run = await RunAsync("email", "1wother");
        Assert.DoesNotContain('\e', run.Output);
    }

    [Fact]
    public async Task A_timeline_names_one_recipient_to_a_line_and_not_the_email_on_each()
    {
        var run = await ToolRun.RunAsync(
            ["--connection", events.ConnectionString, "email", "1w00010-abc"], GeneratedEvents.Now, AppContext.BaseDirectory, width: 80);

        Assert.Equal(0, run.ExitCode);
        Assert.Single(run.Output.Split('\n'), line => line.Contains("1w00010-abc", StringComparison.Ordinal));
        Assert.Contains("processed  user10@example.org\n", run.Output, StringComparison.Ordinal);
        Assert.Contains($"\n{new string(' ', 32)}user12@example.org\n", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_export_as_ndjson_has_every_column()
    {
        var run = await RunAsync("export", "2026-05-30", "2026-05-31");

        Assert.Equal(0, run.ExitCode);
        AssertSame(events.All.Where(e => e.Day is "2026-05-30" or "2026-05-31"), run);
        Assert.Equal("spring, \"early\"\nbird", (string?)run.Json.Single(row => (string?)row["email_id"] == "1wother")["X_Campaign"]);
    }

    [Fact]
    public async Task An_export_as_csv_has_fixed_columns_and_the_rest_in_one()
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            var run = await RunAsync("export", "2026-05-30", "2026-05-31", "--format", "csv", "--output", file);

            Assert.Equal((0, string.Empty), (run.ExitCode, run.Output));
            Assert.False(File.Exists(file + ".part"));
            var records = Csv(await File.ReadAllTextAsync(file, Test.Token));
            var header = records[0];
            Assert.All(records, record => Assert.Equal(header.Count, record.Count));
            AssertSame(
                events.All.Where(e => e.Day is "2026-05-30" or "2026-05-31").Select(e => e.Id),
                records.Skip(1).Select(record => record[header.IndexOf("id")]));
            var other = records.Single(record => record[header.IndexOf("email_id")] == "1wother");
            Assert.Equal("spring, \"early\"\nbird", (string?)JsonNode.Parse(other[header.IndexOf("other")])!["X_Campaign"]);
            Assert.Equal("2026-05-31T02:00:00Z", other[header.IndexOf("time")]);
            Assert.Equal("a\e[2Jb", other[header.IndexOf("subject")]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("email", "1wnever")]
    [InlineData("email", "1W00010-ABC")]
    [InlineData("recipient", "nobody@example.org")]
    [InlineData("day", "2020-01-01")]
    [InlineData("day", "2026-05-31", "--event", "reject")]
    [InlineData("export", "2020-01-01", "2020-12-31")]
    public async Task Nothing_found_has_an_exit_code_of_its_own(params string[] args)
    {
        var run = await RunAsync(args);

        Assert.Equal((3, string.Empty), (run.ExitCode, run.Output));
        Assert.Single(run.Error.Trim().Split('\n'));
    }

    private Task<ToolRun> RunAsync(params string[] args) => ToolRun.RunAsync(events.ConnectionString, GeneratedEvents.Now, args);

    private static IEnumerable<string?> Ids(ToolRun run) => run.Json.Select(row => (string?)row["id"]);

    private static void AssertSame(IEnumerable<GeneratedEvents.Event> expected, ToolRun run) =>
        AssertSame(expected.Select(e => e.Id), Ids(run));

    private static void AssertSame(IEnumerable<string> expected, IEnumerable<string?> actual)
    {
        var truth = expected.Order(StringComparer.Ordinal).ToList();
        Assert.NotEmpty(truth);
        Assert.Equal(truth, actual.Order(StringComparer.Ordinal));
    }

    private static void AssertTally(IEnumerable<GeneratedEvents.Event> covered, JsonObject line)
    {
        var all = covered.ToList();
        var real = all.Where(e => !e.IsTest).ToList();
        double delivered = real.Count(e => e.Name == "delivered");
        double hard = real.Count(e => e.IsHardBounce);
        Assert.NotEmpty(real);
        Assert.Equal(real.Count, (int)line["events"]!);
        Assert.Equal(all.Count - real.Count, (int)line["testEvents"]!);
        Assert.Equal(hard, (int)line["hardBounces"]!);
        Assert.Equal(delivered / (delivered + hard), (double)line["deliveryRate"]!);
        Assert.Equal(real.Count(e => e.Name == "spam") / delivered, (double)line["complaintRate"]!);
        Assert.Equal(
            real.CountBy(e => e.Name).OrderBy(count => count.Key, StringComparer.Ordinal).Select(count => (count.Key, count.Value)),
            line["counts"]!.AsObject().Select(count => (count.Key, (int)count.Value!)));
    }

    /// <summary>A reader of RFC 4180, written independently of the writer.</summary>
    private static List<List<string>> Csv(string text)
    {
        var records = new List<List<string>> { new() };
        var field = new System.Text.StringBuilder();
        var quoted = false;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quoted && c == '"' && i + 1 < text.Length && text[i + 1] == '"')
            {
                field.Append(text[++i]);
            }
            else if (c == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && c is ',' or '\n' && !quoted)
            {
                records[^1].Add(field.ToString());
                field.Clear();
                if (c == '\n')
                {
                    records.Add([]);
                }
            }
            else
            {
                field.Append(c);
            }
        }

        Assert.Empty(records[^1]);
        records.RemoveAt(records.Count - 1);
        return records;
    }
}
