using System.Text;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Tests.Storing;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>Every body on disk goes through the whole app: a new file is a new test.</summary>
public sealed class CorpusTests(AzuriteFixture azurite)
{
    private static readonly string Own = Path.Combine(AppContext.BaseDirectory, "Payloads");

    private static string? Others { get; } =
        Environment.GetEnvironmentVariable("SMTP2GO_PAYLOADS") is { Length: > 0 } folder ? Path.GetFullPath(folder, Repository.Root) : null;

    public static TheoryData<string> Files =>
    [
        .. new[] { Own, Others }.OfType<string>()
            .SelectMany(folder => Directory.EnumerateFiles(folder))
            .Where(file => Path.GetExtension(file) is ".form" or ".json")
            .Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_real_body_becomes_a_row(string file)
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = await File.ReadAllBytesAsync(file, Test.Token);
        Assert.True(WebhookBody.TryParse(body, out var fields, out _));

        var row = await app.StoreAsync(Encoding.UTF8.GetString(body));

        Assert.Equal(body, await app.BodyOfAsync(row));
        Assert.Empty(AzureLimits.Problems(row));
        Assert.False(row.ContainsKey("Truncated"));
        Assert.Matches("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z_[a-z_]+_[0-9a-f]{16}$", row.RowKey);
        Assert.All(fields, field => Assert.True(row.ContainsKey(field.Name.Replace('-', '_')), field.Name));
        Assert.All(
            fields.Where(f => f.Values.Count == 1 && row[f.Name.Replace('-', '_')] is string),
            field => Assert.Equal(field.Values[0].Text, row[field.Name.Replace('-', '_')]));
    }

    [Fact]
    public async Task A_captured_callback_becomes_the_promised_row()
    {
        Assert.SkipWhen(Others is null, "SMTP2GO_PAYLOADS does not name a folder with captured callbacks.");
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var body = await File.ReadAllTextAsync(Path.Combine(Others!, "processed-live.form"), Test.Token);

        var row = await app.StoreAsync(body);

        Assert.Equal("1w4x2g-FnQW0hPru7M-NRRC", row.PartitionKey);
        Assert.StartsWith("2026-03-24T08:23:14.000Z_processed_", row.RowKey, StringComparison.Ordinal);
        Assert.Equal(row["message_id"], row["Message_Id"]);
        Assert.Equal(row["subject"], row["Subject"]);
        Assert.Equal(new DateTimeOffset(2026, 3, 24, 8, 23, 14, TimeSpan.Zero), row["time"]);
        Assert.Equal(string.Empty, row["from_name"]);
        Assert.Equal(body, row["Body"]);
    }

    [Fact]
    public async Task Several_recipients_and_the_test_button_are_recognised()
    {
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());

        var row = await app.StoreAsync(await File.ReadAllTextAsync(Path.Combine(Own, "test-button.json"), Test.Token));

        Assert.Equal("one@test.example,two@test.example", row["recipients"]);
        Assert.Equal(true, row["IsTest"]);
        Assert.Equal("1WABCs-BI6MKi-K9", row.PartitionKey);
        Assert.StartsWith("2019-07-03T22:46:33.000Z_processed_", row.RowKey, StringComparison.Ordinal);
    }
}
