using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Finds dead letters and reads one with its whole body.</summary>
internal static class DeadLetterQueries
{
    private static readonly string[] Keys = ["PartitionKey", "RowKey"];

    public static string OfReason(string reason) => TableClient.CreateQueryFilter($"Reason eq {reason}");

    /// <summary>Counts by reason, with the oldest few of each.</summary>
    /// <param name="most">How many to keep for each reason.</param>
    /// <param name="mostRead">Stops after so many, the oldest of all.</param>
    public static async Task<DeadLetterGroups> GroupAsync(
        TableServiceClient service, string? reason, int most, int mostRead, CancellationToken cancellationToken)
    {
        var read = 0;
        var groups = new SortedDictionary<string, DeadLetterGroup>(StringComparer.Ordinal);
        var filter = reason is null ? null : OfReason(reason);
        await foreach (var row in service.RowsAsync(DeadLetters.TableName, filter, DeadLetter.Columns, cancellationToken))
        {
            if (read++ == mostRead)
            {
                return new DeadLetterGroups([.. groups.Values], IsCut: true);
            }

            var letter = DeadLetter.Of(row);
            if (!groups.TryGetValue(letter.Reason, out var group))
            {
                groups.Add(letter.Reason, group = new DeadLetterGroup(letter.Reason));
            }

            group.Add(letter, most);
        }

        return new DeadLetterGroups([.. groups.Values], IsCut: false);
    }

    /// <summary>The one with a full id; null if it is not among the oldest.</summary>
    /// <param name="reason">Looks only at those with this reason.</param>
    /// <param name="mostRead">Stops after so many.</param>
    public static async Task<DeadLetterKey?> FindAsync(
        TableServiceClient service, string? reason, string id, int mostRead, CancellationToken cancellationToken)
    {
        var rows = service.RowsAsync(
            DeadLetters.TableName, string.IsNullOrEmpty(reason) ? null : OfReason(reason), Keys, cancellationToken);
        return await rows.Take(mostRead).Select(DeadLetterKey.Of).FirstOrDefaultAsync(key => key.Id == id, cancellationToken);
    }

    /// <summary>What each beginning of an id stands for.</summary>
    public static async Task<IReadOnlyList<DeadLetterMatch>> MatchAsync(
        TableServiceClient service, IEnumerable<string> ids, CancellationToken cancellationToken)
    {
        List<DeadLetterMatch> matches = [.. ids.Select(id => id.ToLowerInvariant()).Distinct().Select(id => new DeadLetterMatch(id))];
        await foreach (var row in service.RowsAsync(DeadLetters.TableName, filter: null, Keys, cancellationToken))
        {
            var key = DeadLetterKey.Of(row);
            var id = key.Id;
            foreach (var match in matches.Where(match => id.StartsWith(match.Id, StringComparison.Ordinal)))
            {
                match.Add(key);
            }
        }

        return matches;
    }

    /// <summary>All with one reason, or those of the keys that exist, with only the columns that dropping needs.</summary>
    public static async IAsyncEnumerable<TableEntity> FindAsync(
        TableServiceClient service,
        string? reason,
        IEnumerable<DeadLetterKey> keys,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var filters = reason is not null ? [OfReason(reason)] : keys.Distinct().Select(OfKey);
        await foreach (var letter in service.RowsAsync(DeadLetters.TableName, filters, DeadLetterBlobs.Columns, cancellationToken))
        {
            yield return letter;
        }
    }

    /// <summary>One dead letter; its column <c>Body</c> is missing if the body is gone.</summary>
    public static async Task<TableEntity?> ReadAsync(
        TableServiceClient service, WebhookBlobs blobs, DeadLetterKey key, CancellationToken cancellationToken)
    {
        var letter = await service
            .RowsAsync(DeadLetters.TableName, OfKey(key), null, cancellationToken)
            .FirstOrDefaultAsync(cancellationToken);
        if (letter is not null && await StoredBody.Of(letter).ReadAsync(blobs, cancellationToken) is { } body)
        {
            letter[ColumnNames.Body] = body.ToString();
        }

        return letter;
    }

    /// <summary>The length of its body in bytes, at the price of a request or two; null if the body is gone.</summary>
    public static async Task<long?> SizeAsync(
        TableServiceClient service, BlobServiceClient blobs, DeadLetterKey key, CancellationToken cancellationToken)
    {
        var letter = await service.GetTableClient(DeadLetters.TableName).GetEntityIfExistsAsync<TableEntity>(
            key.Day, key.Row, [ColumnNames.Body, ColumnNames.BodyBlob], cancellationToken);
        var body = letter.HasValue ? StoredBody.Of(letter.Value!) : default;
        if (body is not { Text: null, Blob: { } blob })
        {
            return body.Text is { } text ? System.Text.Encoding.UTF8.GetByteCount(text) : null;
        }

        try
        {
            var client = blobs.GetBlobContainerClient(WebhookBlobs.ContainerName).GetBlobClient(blob);
            return (await client.GetPropertiesAsync(cancellationToken: cancellationToken)).Value.ContentLength;
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            return null;
        }
    }

    private static string OfKey(DeadLetterKey key) =>
        TableClient.CreateQueryFilter($"PartitionKey eq {key.Day} and RowKey eq {key.Row}");
}

/// <param name="IsCut">There are more, which were not read.</param>
internal sealed record DeadLetterGroups(IReadOnlyList<DeadLetterGroup> All, bool IsCut);

/// <summary>The dead letters with one reason.</summary>
internal sealed class DeadLetterGroup(string reason)
{
    private readonly List<DeadLetter> oldest = [];

    public string Reason => reason;

    public int Count { get; private set; }

    public IReadOnlyList<DeadLetter> Oldest => oldest;

    public DeadLetter? Newest { get; private set; }

    public void Add(DeadLetter letter, int most)
    {
        Newest = letter;
        if (++Count <= most)
        {
            oldest.Add(letter);
        }
    }
}

/// <summary>What the beginning of an id stands for: one dead letter, several or none.</summary>
internal sealed class DeadLetterMatch(string id)
{
    private const int MostKeys = 5;

    private readonly List<DeadLetterKey> keys = [];

    public string Id => id;

    public int Count { get; private set; }

    /// <summary>The first few.</summary>
    public IReadOnlyList<DeadLetterKey> Keys => keys;

    public void Add(DeadLetterKey key)
    {
        if (++Count <= MostKeys)
        {
            keys.Add(key);
        }
    }
}
