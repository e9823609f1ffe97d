using Azure.Data.Tables;

namespace Smtp2GoIngest.Storing;

/// <summary>What Azure Table Storage accepts, with room to spare.</summary>
/// <remarks>Source: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.</remarks>
internal static class TableLimits
{
    /// <summary>The longest text in a column, in UTF-16 units. Azure's limit is 64 KiB, "about 32 K characters or less".</summary>
    public const int MaxTextLength = 30_000;

    /// <summary>The most columns in a row, without its keys and its timestamp.</summary>
    public const int MaxColumns = 252;

    /// <summary>The most columns for fields and facts; the rest is room for our own.</summary>
    public const int MaxFields = 240;

    public const int MaxNameLength = 255;

    /// <summary>The most bytes for fields and facts. Azure's limit is 1 MiB with names and keys; the rest is room for our own.</summary>
    public const int MaxFieldBytes = 900 * 1024;

    /// <summary>The most rows in a transaction.</summary>
    public const int MaxTransactionRows = 100;

    /// <summary>The most bytes in a transaction. Azure's limit is 4 MiB.</summary>
    public const int MaxTransactionBytes = 3584 * 1024;

    /// <summary>The earliest time that a column can hold.</summary>
    public static readonly DateTimeOffset MinTime = new(1601, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Cuts a text so that it fits into a column; never leaves half a surrogate pair at its end.</summary>
    public static string Cut(string text, out bool isCut)
    {
        isCut = text.Length > MaxTextLength;
        return !isCut ? text
            : char.IsHighSurrogate(text[MaxTextLength - 1]) ? text[..(MaxTextLength - 1)]
            : text[..MaxTextLength];
    }

    public static int SizeOf(TableEntity row) => row.Sum(property => SizeOf(property.Key, property.Value));

    /// <summary>Bytes as Azure counts them: 8 for a property, two for each character in its name, and its value.</summary>
    public static int SizeOf(string name, object value) =>
        8 + (2 * name.Length) + (value is string text ? 4 + (2 * text.Length) : 8);
}
