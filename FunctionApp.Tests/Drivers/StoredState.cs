using Azure.Storage.Blobs;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>
/// What must be in a storage account in the end: these events and dead letters, their index rows and blobs, nothing else.
/// </summary>
internal static class StoredState
{
    /// <param name="app">An app on the account.</param>
    /// <param name="account">The account.</param>
    /// <param name="events">The <c>id</c> of each event.</param>
    /// <param name="deadLetters">The reason of each dead letter.</param>
    public static async Task AssertAsync(IngestApp app, string account, IEnumerable<string> events, params IEnumerable<string> deadLetters)
    {
        var rows = await app.EventsAsync();
        var letters = await app.DeadLettersAsync();
        Assert.Equal(events.Order(StringComparer.Ordinal), rows.Select(row => row.GetString("id")).Order(StringComparer.Ordinal));
        Assert.Equal(
            deadLetters.Order(StringComparer.Ordinal), letters.Select(row => row.GetString("Reason")).Order(StringComparer.Ordinal));
        if (rows.Count > 0)
        {
            await IndexTests.AssertAgreeAsync(account);
        }
        else
        {
            Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByDayTable));
            Assert.Empty(await IndexTests.RowsAsync(account, EventIndex.ByRecipientTable));
        }

        await RecipientsAgree.AssertAsync(account);

        // A dead letter for a missing blob names it anyway.
        var referred = rows.Concat(letters.Where(row => row.GetString("Reason") != DeadLetterReason.BlobMissing))
            .Select(row => row.GetString("BodyBlob"))
            .OfType<string>()
            .Distinct();
        Assert.Equal(referred.Order(StringComparer.Ordinal), (await BlobsAsync(account)).Order(StringComparer.Ordinal));

        // On a busy machine, a queue write that timed out and was sent again may still arrive. It changes nothing that is stored.
        await app.DrainedAsync();
        Assert.Equal(rows.Count, (await app.EventsAsync()).Count);
    }

    private static async Task<List<string>> BlobsAsync(string account)
    {
        var container = new BlobContainerClient(account, WebhookBlobs.ContainerName);
        return await container.ExistsAsync(Test.Token)
            ? await container.GetBlobsAsync(cancellationToken: Test.Token).Select(blob => blob.Name).ToListAsync()
            : [];
    }
}
