using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>A body made readable: JSON is indented, a form is a list of fields, anything else is shown as it is.</summary>
/// <param name="Fields">Null if it is not a form.</param>
/// <param name="Text">Null if it is a form.</param>
/// <param name="Length">Size of the whole body in bytes.</param>
/// <param name="IsCut">Only the beginning is shown.</param>
internal sealed record ReadableBody(
    IReadOnlyList<(string Name, string Value)>? Fields, string? Text, string? ContentType, int Length, bool IsCut)
{
    /// <summary>How many characters of it are shown.</summary>
    public const int MaxShown = 50_000;

    // In UTF-8.
    private const int MaxBytesOfCharacter = 3;

    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Reads the body of an event from its row, or from the blob that has it.</summary>
    /// <returns>Null if it is gone.</returns>
    public static async Task<ReadableBody?> ReadAsync(
        TableServiceClient service, WebhookBlobs blobs, StoredEventKey key, CancellationToken cancellationToken)
    {
        var found = await service.GetTableClient(EventStore.TableName).GetEntityIfExistsAsync<TableEntity>(
            key.PartitionKey,
            key.RowKey,
            [ColumnNames.Body, ColumnNames.BodyBlob, ColumnNames.ContentType],
            cancellationToken);
        if (!found.HasValue)
        {
            return null;
        }

        var body = new StoredBody(TextIn(ColumnNames.Body), TextIn(ColumnNames.BodyBlob));
        return await body.ReadAsync(blobs, cancellationToken) is { } bytes ? Of(bytes, TextIn(ColumnNames.ContentType)) : null;

        // Something else may have written the row, with other types.
        string? TextIn(string column) => found.Value!.TryGetValue(column, out var value) ? value as string : null;
    }

    public static ReadableBody Of(BinaryData body, string? contentType)
    {
        var bytes = body.ToMemory();
        var text = Encoding.UTF8.GetString(bytes.Span);
        if (Reindented(bytes.Span) is { } json)
        {
            return OfText(json);
        }

        if (!WebhookBody.TryParse(bytes.Span, out var fields, out _))
        {
            return OfText(text);
        }

        var all = fields.SelectMany(field => field.Values.Select(value => (field.Name, value.Text)));
        List<(string Name, string Value)> shown = [];
        var left = MaxShown;
        foreach (var (name, value) in all.TakeWhile(_ => left > 0))
        {
            shown.Add((PlainText.Cut(name, left), PlainText.Cut(value, Math.Max(1, left - name.Length))));
            left -= name.Length + value.Length;
        }

        return new ReadableBody(shown, null, contentType, bytes.Length, left < 0 || shown.Count < all.Count());

        ReadableBody OfText(string whole) =>
            new(null, PlainText.Cut(whole, MaxShown), contentType, bytes.Length, whole.Length > MaxShown);
    }

    // Null if it is not JSON, or nested absurdly deep. Indenting can make it sixty times as long, so it stops a little after the limit.
    private static string? Reindented(ReadOnlySpan<byte> body)
    {
        var shown = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(shown, Indented);
        var reader = new Utf8JsonReader(body);
        try
        {
            while (reader.Read())
            {
                if (writer.BytesCommitted + writer.BytesPending <= MaxShown * MaxBytesOfCharacter)
                {
                    Write(writer, ref reader);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }

        writer.Flush();
        return Encoding.UTF8.GetString(shown.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter writer, ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                writer.WriteStartObject();
                break;
            case JsonTokenType.EndObject:
                writer.WriteEndObject();
                break;
            case JsonTokenType.StartArray:
                writer.WriteStartArray();
                break;
            case JsonTokenType.EndArray:
                writer.WriteEndArray();
                break;
            case JsonTokenType.PropertyName:
                writer.WritePropertyName(reader.GetString()!);
                break;
            case JsonTokenType.String:
                writer.WriteStringValue(reader.GetString());
                break;
            default:
                writer.WriteRawValue(reader.ValueSpan);
                break;
        }
    }
}
