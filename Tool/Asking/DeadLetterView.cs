using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>One dead letter with its body.</summary>
/// <param name="Body">Null if it is gone.</param>
internal sealed record DeadLetterView(DeadLetter Letter, ReadableBody? Body)
{
    /// <summary>How many dead letters are looked through to find one.</summary>
    public const int MostRead = 10_000;

    /// <param name="id">The full id.</param>
    /// <param name="reason">The dead letter's reason, if known.</param>
    /// <returns>Null if there is none among the oldest.</returns>
    public static async Task<DeadLetterView?> ReadAsync(
        TableServiceClient service, BlobServiceClient blobs, string? reason, string id, CancellationToken cancellationToken)
    {
        if (await DeadLetterQueries.FindAsync(service, reason, id, MostRead, cancellationToken) is not { } key
            || await DeadLetterQueries.ReadAsync(service, new WebhookBlobs(blobs), key, cancellationToken) is not { } row)
        {
            return null;
        }

        return new DeadLetterView(
            DeadLetter.Of(row),
            TextIn(ColumnNames.Body) is { } body ? ReadableBody.Of(BinaryData.FromString(body), TextIn(ColumnNames.ContentType)) : null);

        // Somebody else may have written the row, with other types.
        string? TextIn(string column) => row.TryGetValue(column, out var value) ? value as string : null;
    }
}

/// <summary>The oldest dead letters with one reason, with the sizes of their bodies.</summary>
/// <param name="Group">Null if there are none.</param>
/// <param name="Sizes">In bytes, for <see cref="DeadLetterGroup.Oldest"/>; null for a body that is gone.</param>
internal sealed record DeadLettersOfReason(DeadLetterGroup? Group, IReadOnlyList<long?> Sizes, bool IsCut)
{
    private const int MaxParallel = 8;

    /// <param name="most">How many to show.</param>
    public static async Task<DeadLettersOfReason> ReadAsync(
        TableServiceClient service, BlobServiceClient blobs, string reason, int most, CancellationToken cancellationToken)
    {
        var (groups, isCut) = await DeadLetterQueries.GroupAsync(service, reason, most, DeadLetterView.MostRead, cancellationToken);
        return groups is [var group]
            ? new DeadLettersOfReason(group, await SizesAsync(service, blobs, group.Oldest, cancellationToken), isCut)
            : new DeadLettersOfReason(null, [], isCut);
    }

    /// <summary>The lengths of their bodies in bytes; null for one that is gone.</summary>
    public static async Task<IReadOnlyList<long?>> SizesAsync(
        TableServiceClient service, BlobServiceClient blobs, IReadOnlyList<DeadLetter> letters, CancellationToken cancellationToken)
    {
        var sizes = new long?[letters.Count];
        await Parallel.ForAsync(
            0,
            letters.Count,
            new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
            async (i, token) => sizes[i] = await DeadLetterQueries.SizeAsync(service, blobs, letters[i].Key, token));
        return sizes;
    }
}
