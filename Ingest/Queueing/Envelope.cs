using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Queueing;

/// <summary>The wire format of a queue message, its version and its size limits.</summary>
/// <remarks>
/// <c>{"v":1,"webhooks":[…]}</c>, only ASCII: Azurite corrupts other text. No character is left that the queue's XML would escape again,
/// so the size measured here is the size sent.
/// </remarks>
public static class Envelope
{
    public const int Version = 1;

    /// <summary>The most bytes that one encoded webhook may have; a larger one goes to a blob.</summary>
    public const int MaxWebhookBytes = 24 * 1024;

    /// <summary>The most bytes that a message may have. Azure's own limit is 64 KiB.</summary>
    public const int MaxMessageBytes = 60 * 1024;

    /// <summary>The size of a message without webhooks.</summary>
    internal static int EmptyBytes => Head.Length + Tail.Length;

    // The earliest time that a table can hold.
    private const int MinYear = 1601;

    private static ReadOnlySpan<byte> Head => "{\"v\":1,\"webhooks\":["u8;

    private static ReadOnlySpan<byte> Tail => "]}"u8;

    /// <summary>Encodes one webhook; null if the encoded form exceeds <see cref="MaxWebhookBytes"/>.</summary>
    public static byte[]? Encode(ReceivedWebhook webhook)
    {
        var encoded = JsonSerializer.SerializeToUtf8Bytes(webhook, EnvelopeJson.Default.ReceivedWebhook);
        return encoded.Length <= MaxWebhookBytes ? encoded : null;
    }

    /// <summary>Builds a message from webhooks that <see cref="Encode"/> returned.</summary>
    /// <param name="encoded">At least one. The message must not exceed <see cref="MaxMessageBytes"/>.</param>
    public static BinaryData Wrap(params ReadOnlySpan<byte[]> encoded)
    {
        var length = EmptyBytes + encoded.Length - 1;
        foreach (var webhook in encoded)
        {
            length += webhook.Length;
        }

        // Allocated at its exact size: a growing buffer would end up on the large object heap.
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

    /// <summary>Reads a queue message, whoever wrote it. Never throws because of its content.</summary>
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
                return EnvelopeContent.Unreadable("The message is not one of this app's envelopes.");
            }

            return version == Version
                ? new EnvelopeContent([.. webhooks.EnumerateArray().Select(Read)], null)
                : EnvelopeContent.Unreadable($"The envelope has version {version}; this app reads version {Version}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return EnvelopeContent.Unreadable("The message is not JSON.");
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

/// <summary>The content of a message.</summary>
/// <param name="Entries">Its webhooks, readable or not.</param>
/// <param name="Problem">Why the message cannot be read at all; there are no entries then.</param>
public sealed record EnvelopeContent(IReadOnlyList<EnvelopeEntry> Entries, string? Problem)
{
    internal static EnvelopeContent Unreadable(string problem) => new([], problem);
}

/// <summary>One webhook in a message.</summary>
/// <param name="Webhook">Null if the entry is broken.</param>
/// <param name="Json">The entry as it is in the message.</param>
public sealed record EnvelopeEntry(ReceivedWebhook? Webhook, string Json);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ReceivedWebhook))]
internal sealed partial class EnvelopeJson : JsonSerializerContext;
