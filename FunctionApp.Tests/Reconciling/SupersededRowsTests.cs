using Azure;
using Azure.Core;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>Only a row that was filled in is removed, and then with all that belongs to it.</summary>
public sealed class SupersededRowsTests(AzuriteFixture azurite)
{
    private const string Other = "event=bounce&bounce=hard&id=1&email_id=e2&rcpt=bob@example.net&time=2026-05-04T10:00:00Z&message=550";

    [Fact]
    public async Task A_webhook_s_event_is_kept_whatever_its_index_row_says()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.StoreAsync(Other);
        var forged = Assert.Single(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        forged["source"] = "activity";
        await new TableClient(account, EventIndex.ByDayTable).UpdateEntityAsync(forged, ETag.All, TableUpdateMode.Replace, Test.Token);

        var isRemoved = await RemoveAsync(app, await FilledInAsync(account));

        Assert.False(isRemoved);
        Assert.Single(await app.EventsAsync());
        Assert.Single(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        Assert.Single(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
        await RecipientsAgree.AssertAsync(account);
    }

    [Fact]
    public async Task A_row_that_was_changed_since_it_was_read_is_kept_until_the_next_run()
    {
        var account = azurite.NewAccount();
        var changes = 0;
        var change = StorageFault.InTables(account, request =>
        {
            if (IsDelete(request, EventStore.TableName) && changes++ == 0)
            {
                var events = new TableClient(account, EventStore.TableName);
                var row = events.Query<TableEntity>("source eq 'activity'", cancellationToken: Test.Token).Single();
                row["ParserVersion"] = 99;
                events.UpdateEntity(row, row.ETag, TableUpdateMode.Merge, Test.Token);
            }

            return null;
        });
        await using var app = await IngestApp.StartAsync(account, configure: change);
        await app.StoreAsync(FilledInBounce());
        var entry = await FilledInAsync(account);

        var isRemoved = await RemoveAsync(app, entry);

        Assert.Equal((false, 1), (isRemoved, changes));
        Assert.Equal(99, Assert.Single(await app.EventsAsync())["ParserVersion"]);
        Assert.True(await RemoveAsync(app, entry));
        await AssertNothingIsLeftAsync(app, account);
    }

    [Theory]
    [InlineData(EventIndex.ByRecipientTable)]
    [InlineData(EventStore.TableName)]
    [InlineData(EventIndex.ByDayTable)]
    public async Task A_run_that_is_killed_at_any_table_is_completed_by_the_next(string table)
    {
        var account = azurite.NewAccount();
        var kills = 0;
        var kill = StorageFault.InTables(
            account, request => IsDelete(request, table) && kills++ == 0 ? new RequestFailedException(503, "killed") : null);
        await using var app = await IngestApp.StartAsync(account, configure: kill);
        await app.StoreAsync(FilledInBounce());
        await app.AcknowledgedAsync(Other);
        await app.DrainedAsync();
        var entry = await FilledInAsync(account);

        await Assert.ThrowsAsync<RequestFailedException>(() => RemoveAsync(app, entry));
        await RemoveAsync(app, await FilledInAsync(account));

        Assert.Equal("e2", Assert.Single(await app.EventsAsync()).PartitionKey);
        await IndexTests.AssertAgreeAsync(account);
        await RecipientsAgree.AssertAsync(account);
    }

    /// <summary>A sweep has looked at the body while its row was there, and looks only once at what nobody touches.</summary>
    [Fact]
    public async Task A_body_in_a_blob_is_swept_after_its_row_is_gone()
    {
        var account = azurite.NewAccount();
        await using var app = await IngestApp.StartAsync(account);
        await app.StoreAsync(FilledInBounce(new string('m', 50_000)));
        var blob = Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Name;
        await Task.Delay(TimeSpan.FromSeconds(2.1), Test.Token);
        Assert.Equal(0, await SweepAsync(app, await app.Services.GetRequiredService<StorageClock>().PassedAsync(Test.Token)));

        Assert.True(await RemoveAsync(app, await FilledInAsync(account)));

        Assert.Equal(blob, Assert.Single(app.Blobs.GetBlobs(cancellationToken: Test.Token)).Name);
        Assert.Equal(1, await SweepAsync(app, DateTimeOffset.UtcNow.AddMinutes(2)));
        await AssertNothingIsLeftAsync(app, account);
    }

    private static string FilledInBounce(string message = "550 no such user") => $$"""
        {"event":"bounce","bounce":"hard","time":"2026-05-04T10:00:00Z","email_id":"e1","rcpt":"ada@example.org","message":"{{message}}",
        "source":"activity","id":"00112233445566778899aabbccddeeff"}
        """;

    private static bool IsDelete(Request request, string table) =>
        request.Method == RequestMethod.Delete && request.Uri.Path.Contains($"/{table}(", StringComparison.Ordinal);

    private static Task<bool> RemoveAsync(IngestApp app, StoredEntry entry) => new SupersededRows(
        app.Services.GetRequiredService<TableServiceClient>(),
        app.Services.GetRequiredService<EventStore>(),
        app.Services.GetRequiredService<Recipients>(),
        app.Services.GetRequiredService<WebhookBlobs>()).RemoveAsync(entry, Test.Token);

    private static async Task<StoredEntry> FilledInAsync(string account) => Assert.Single(
        (await IndexTests.RowsAsync(account, EventIndex.ByDayTable)).Select(row => StoredEntry.TryRead(row, out _)!),
        entry => entry.IsFilledIn);

    private static async Task<long> SweepAsync(IngestApp app, DateTimeOffset before)
    {
        var sweep = app.Services.GetRequiredService<BlobSweep>();
        return await sweep.SweepAsync(await sweep.LookAsync(before, TimeSpan.Zero, Test.Token), Test.Token);
    }

    private static async Task AssertNothingIsLeftAsync(IngestApp app, string account)
    {
        Assert.Empty(await app.EventsAsync());
        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
        Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
        Assert.Empty(await IndexTests.RowsAsync(account, Recipients.TableName));
    }
}
