namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>The kinds of event that <c>/activity/search</c> knows.</summary>
public enum Smtp2GoEventKind
{
    Processed,
    Delivered,
    SoftBounced,
    HardBounced,
    Rejected,
    Spam,
    Unsubscribed,
    Resubscribed,
    Opened,
    Clicked,
}

/// <summary>One email, which its events share.</summary>
public sealed record Smtp2GoEmail
{
    /// <summary>What SMTP2GO writes where there is nothing, also as the id of an email that it did not accept.</summary>
    public const string Unavailable = "Unavailable";

    public required string EmailId { get; init; }

    public required string Sender { get; init; }

    public string SenderName { get; init; } = string.Empty;

    public required IReadOnlyList<string> Recipients { get; init; }

    public string Subject { get; init; } = string.Empty;

    /// <summary>The SMTP user or API key that sent it: <c>auth</c> in a webhook.</summary>
    public required string Username { get; init; }

    /// <summary>Where it was submitted from.</summary>
    public string OriginatingHost { get; init; } = "192.0.2.19";

    public int ByteSize { get; init; } = 2048;

    /// <summary>Other headers that the sender set, which a webhook may ask for.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public bool HasId => EmailId != Unavailable;

    /// <summary>The sender's own, or the one that SMTP2GO sets.</summary>
    public string MessageId
    {
        get => field ?? (HasId ? $"<E{EmailId}@message-id.smtpcorp.com>" : Unavailable);
        init;
    }

    public string From => SenderName.Length == 0 ? Sender : $"{SenderName} <{Sender}>";
}

/// <summary>What somebody read an email with.</summary>
public sealed record ReaderClient(
    string UserAgent, string Name, string Device, string System, string Continent, string Country, string City, string Host);

/// <summary>One thing that happened to an email, and what became of its webhook.</summary>
public sealed class Smtp2GoEvent
{
    private static readonly TimeSpan UsualDelay = TimeSpan.FromMinutes(2);

    private int tries;
    private int deliveries;
    private int uncertain;

    /// <summary>Who it is: 32 hex digits. A webhook shows it, /activity/search does not.</summary>
    public required string Id { get; init; }

    public required Smtp2GoEmail Email { get; init; }

    public required Smtp2GoEventKind Kind { get; init; }

    /// <summary>A whole second, in UTC.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>What <see cref="Date"/> leaves out; webhooks have it in <c>sendtime</c>.</summary>
    public TimeSpan Fraction { get; init; }

    /// <summary>The one that it is about; null for a processed email, which is about all of them.</summary>
    public string? Recipient { get; init; }

    /// <summary>The other server's answer, or the reason of a reject; its lines are joined by a line feed.</summary>
    public string? SmtpResponse { get; init; }

    /// <summary>The other server's address.</summary>
    public string? Host { get; init; }

    /// <summary>The other server's name, which only webhooks show.</summary>
    public string? HostName { get; init; }

    /// <summary>For opens and clicks.</summary>
    public ReaderClient? Client { get; init; }

    /// <summary>The link that was clicked.</summary>
    public string? Link { get; init; }

    /// <summary>When /activity/search begins to show it, in virtual time.</summary>
    public DateTimeOffset SearchableFrom
    {
        get => field == default ? Date + UsualDelay : field;
        set;
    }

    /// <summary>How often SMTP2GO tried to send its webhook; 0 for one that was filtered out, or is not due yet.</summary>
    public int Tries => tries;

    /// <summary>How often the app answered 2xx, also where SMTP2GO did not see the answer.</summary>
    public int Deliveries => deliveries;

    /// <summary>How often nobody knows whether the app got it: no answer came in time, or the connection broke.</summary>
    public int UncertainTries => uncertain;

    /// <summary>True if SMTP2GO knows that the app has it, and does not try again.</summary>
    public bool IsAcknowledged { get; private set; }

    /// <summary>True if the app said that it has it.</summary>
    public bool WasDelivered => deliveries > 0;

    internal void Count(bool isDelivered, bool isUncertain, bool isAcknowledged)
    {
        Interlocked.Increment(ref tries);
        if (isDelivered)
        {
            Interlocked.Increment(ref deliveries);
        }

        if (isUncertain)
        {
            Interlocked.Increment(ref uncertain);
        }

        if (isAcknowledged)
        {
            IsAcknowledged = true;
        }
    }
}
