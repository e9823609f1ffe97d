using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Queueing;

/// <summary>One webhook as it travels through the queue, as received and not yet parsed.</summary>
/// <param name="Id">Unique for each POST: 32 hex digits that sort by time.</param>
/// <param name="ReceivedAt">In UTC.</param>
/// <param name="ContentType">The header as sent, cut at 200 characters.</param>
/// <param name="Body">The exact text received; null if it is in <paramref name="Blob"/>.</param>
/// <param name="Blob">The name of the blob with the exact bytes received.</param>
/// <param name="TraceParent">The W3C trace context of the POST.</param>
/// <param name="ReplayOf">
/// The dead letter that this replays, as <c>partition key/row key</c>. It is deleted when this is stored.
/// </param>
public sealed record ReceivedWebhook(
    string Id,
    DateTimeOffset ReceivedAt,
    string? ContentType,
    [property: JsonConverter(typeof(ShortJsonText))] string? Body,
    string? Blob,
    [property: JsonPropertyName("traceparent")] string? TraceParent = null,
    string? ReplayOf = null);
