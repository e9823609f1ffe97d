using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Queueing;

/// <summary>The wire format of a queue message, its version and its size limits.</summary>
/// <remarks>
/// <c>{"v":1,"webhooks":[…]}</c>, ASCII alone: Azurite corrupts other text, and the default JSON escapes leave no character that
/// the queue's XML would escape again, so what is measured here is what is sent.
/// </remarks>
public static class Envelope
{
    /// <summary>The version that is written and read.</summary>
    public const int Version = 1;

    /// <summary>The most bytes of one webhook in its encoded form; a larger one goes to a blob.</summary>
    public const int MaxWebhookBytes = 24 * 1024;

    /// <summary>The most bytes of a message. Azure's own limit is 64 KiB.</summary>
    public const int MaxMessageBytes = 60 * 1024;

    /// <summary>The bytes of a message around its webhooks.</summary>
    internal static int EmptyBytes => Head.Length + Tail.Length;

    // Before it a table takes no time.
    private const int MinYear = 1601;

    private static ReadOnlySpan<byte> Head => "{\"v\":1,\"webhooks\":["u8;

    private static ReadOnlySpan<byte> Tail => "]}"u8;

    /// <summary>Encodes one webhook; null where the encoded form exceeds <see cref="MaxWebhookBytes"/>.</summary>
    /// <param name="webhook">The webhook.</param>
    public static byte[]? Encode(ReceivedWebhook webhook)
    {
        var encoded = JsonSerializer.SerializeToUtf8Bytes(webhook, EnvelopeJson.Default.ReceivedWebhook);
        return encoded.Length <= MaxWebhookBytes ? encoded : null;
    }

    /// <summary>Makes a message of encoded webhooks.</summary>
    /// <param name="encoded">What <see cref="Encode"/> gave, at least one and at most <see cref="MaxMessageBytes"/> in all.</param>
    public static BinaryData Wrap(params ReadOnlySpan<byte[]> encoded)
    {
        var length = EmptyBytes + encoded.Length - 1;
        foreach (var webhook in encoded)
        {
            length += webhook.Length;
        }

        // To measure: a buffer that grows would pass through the large object heap.
        var message = new byte[length];
        Head.CopyTo(message);
        var end = Head.Length;
        foreach (var webhook in encoded)
        {
            if (end > Head.Length)
            {
                message[end++] = (byte)',';
            }

            webhook.CopyTo(message, end);
            end += webhook.Length;
        }

        Tail.CopyTo(message.AsSpan(end));
        return new BinaryData(message);
    }

    /// <summary>Reads a message; never throws on its content.</summary>
    /// <param name="message">The text of a queue message, from whoever put it there.</param>
    public static EnvelopeContent Read(string message)
    {
        try
        {
            using var json = JsonDocument.Parse(message);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("v", out var v)
                || !v.TryGetInt32(out var version)
                || !root.TryGetProperty("webhooks", out var webhooks)
                || webhooks.ValueKind != JsonValueKind.Array)
            {
                return EnvelopeContent.Unreadable("The message is no envelope of this app.");
            }

            return version == Version
                ? new EnvelopeContent([.. webhooks.EnumerateArray().Select(Read)], null)
                : EnvelopeContent.Unreadable($"The envelope has version {version}; this app reads version {Version}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return EnvelopeContent.Unreadable("The message is no JSON.");
        }
    }

    private static EnvelopeEntry Read(JsonElement entry)
    {
        try
        {
            var webhook = entry.Deserialize(EnvelopeJson.Default.ReceivedWebhook);
            return webhook is { Id.Length: > 0, ReceivedAt.UtcDateTime.Year: >= MinYear } && IsWhole(webhook)
                ? new EnvelopeEntry(webhook, entry.GetRawText())
                : new EnvelopeEntry(null, entry.GetRawText());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return new EnvelopeEntry(null, entry.GetRawText());
        }
    }

    private static bool IsWhole(ReceivedWebhook webhook) =>
        webhook.Body is { } body ? body.Length <= MaxWebhookBytes && webhook.Blob is null : WebhookBlobs.IsName(webhook.Blob);
}

/// <summary>What a message holds.</summary>
/// <param name="Entries">Its webhooks, each readable or not.</param>
/// <param name="Problem">Why the message as a whole cannot be read; then there are no entries.</param>
public sealed record EnvelopeContent(IReadOnlyList<EnvelopeEntry> Entries, string? Problem)
{
    internal static EnvelopeContent Unreadable(string problem) => new([], problem);
}

/// <summary>One webhook of a message.</summary>
/// <param name="Webhook">The webhook; null where the entry is broken.</param>
/// <param name="Json">The entry as it stands in the message.</param>
public sealed record EnvelopeEntry(ReceivedWebhook? Webhook, string Json);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ReceivedWebhook))]
internal sealed partial class EnvelopeJson : JsonSerializerContext;
