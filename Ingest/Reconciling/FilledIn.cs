using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>The body of a webhook that never came, made from an event of <c>/activity/search</c>.</summary>
/// <remarks>
/// The same event always makes the same body with the same id, so it is stored once, however often it is filled in. So nothing goes into
/// it that may change from one search to the next.
/// </remarks>
public static class FilledIn
{
    /// <summary>The field, and the column, that no webhook has.</summary>
    internal const string Source = "source";

    /// <summary>Its value.</summary>
    internal const string Activity = "activity";

    public const string ContentType = "application/json";

    /// <summary>The id of an event: 32 hex digits, as SMTP2GO's own have, over all that its body will say.</summary>
    /// <param name="n">
    /// Counts events that say the same, from 0: two opens in one second are two. In which order SMTP2GO lists them does not matter then.
    /// </param>
    internal static string Id(ActivityEvent e, EventGroup group, int n)
    {
        // How many recipients of an email are known may change from one search to the next.
        var body = Body(e, group, n.ToString(CultureInfo.InvariantCulture), []);
        return Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16));
    }

    /// <summary>The body of an event, in the words of a webhook.</summary>
    /// <param name="id">From <see cref="Id"/>.</param>
    /// <param name="recipients">Of a <c>processed</c>.</param>
    internal static byte[] Body(ActivityEvent e, EventGroup group, string id, IReadOnlyList<string> recipients)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            Write("event", group.Kind.Event);
            Write("bounce", group.Kind.Bounce);
            Write("time", e.Date is { } date ? EventTime.ToText(date) : null);
            Write("email_id", e.EmailId);
            if (group.Kind.IsOfEmail)
            {
                json.WriteStartArray("recipients");
                foreach (var recipient in recipients)
                {
                    json.WriteStringValue(recipient);
                }

                json.WriteEndArray();
            }
            else
            {
                Write("rcpt", e.Recipient);
            }

            Write("subject", e.Subject);
            Write("auth", e.Username);
            Write("sender", e.Sender);
            Write("from_address", e.From is { } from ? RecipientAddresses.Unwrap(from) : null);
            Write("message", e.SmtpResponse ?? e.Reason);
            Write("host", e.Host);
            Write("srchost", e.OriginatingHost);
            Write(Source, Activity);
            Write("id", id);
            json.WriteEndObject();

            void Write(string name, string? value)
            {
                if (value is not null)
                {
                    json.WriteString(name, value);
                }
            }
        }

        return buffer.WrittenSpan.ToArray();
    }
}
