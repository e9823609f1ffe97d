using Azure.Data.Tables;

namespace Smtp2GoIngest.Tests.Storing;

/// <summary>Azure's own limits for a table row, which Azurite does not enforce.</summary>
/// <remarks>https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model</remarks>
internal static class AzureLimits
{
    private static readonly string[] System = ["PartitionKey", "RowKey", "Timestamp", "odata.etag"];

    public static IEnumerable<string> Problems(TableEntity row)
    {
        foreach (var (name, key) in new[] { ("PartitionKey", row.PartitionKey), ("RowKey", row.RowKey) })
        {
            if (key.Length > 512)
            {
                yield return $"{name} has {key.Length} characters.";
            }

            if (key.Any(c => c is '/' or '\\' or '#' or '?' or '%' or <= '\u001F' or (>= '\u007F' and <= '\u009F')))
            {
                yield return $"{name} contains a character that Azure refuses or misreads: {key}";
            }

            if (!IsWellFormed(key))
            {
                yield return $"{name} contains an unpaired surrogate.";
            }
        }

        var own = row.Where(property => !System.Contains(property.Key)).ToList();
        if (own.Count > 252)
        {
            yield return $"The row has {own.Count} properties.";
        }

        long size = 4 + (2 * (row.PartitionKey.Length + row.RowKey.Length));
        foreach (var (name, value) in own)
        {
            if (name.Length is 0 or > 255 || char.IsAsciiDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                yield return $"The name {name} is not legal.";
            }

            switch (value)
            {
                case string text:
                    size += 8 + (2 * name.Length) + 4 + (2 * text.Length);
                    if (text.Length > 32 * 1024)
                    {
                        yield return $"{name} holds {text.Length} characters.";
                    }

                    if (!IsWellFormed(text))
                    {
                        yield return $"{name} contains an unpaired surrogate.";
                    }

                    break;
                case DateTimeOffset time:
                    size += 8 + (2 * name.Length) + 8;
                    if (time.Year < 1601 || time.Offset != TimeSpan.Zero)
                    {
                        yield return $"{name} holds {time}.";
                    }

                    break;
                case int or bool:
                    size += 8 + (2 * name.Length) + 4;
                    break;
                case double:
                    size += 8 + (2 * name.Length) + 8;
                    break;
                default:
                    yield return $"{name} has the type {value?.GetType().Name ?? "null"}.";
                    break;
            }
        }

        if (size > 1024 * 1024)
        {
            yield return $"The row has {size} bytes.";
        }
    }

    private static bool IsWellFormed(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[++i])))
            {
                return false;
            }
        }

        return true;
    }
}
