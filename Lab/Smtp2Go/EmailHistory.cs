namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>What happens to one email, from its submission to the last click.</summary>
internal sealed class EmailHistory(Smtp2GoEmail email, DateTimeOffset submitted, Random random)
{
    private const string Server = "203.0.113.22";
    private const string ServerName = "mx.example.com";

    private readonly List<Smtp2GoEvent> events = [];

    public static IReadOnlyList<Smtp2GoEvent> Of(DateTimeOffset submitted, Random random)
    {
        var history = new EmailHistory(People.Email(submitted, random, isAccepted: random.Next(200) > 0), submitted, random);
        history.Submit();
        return history.events;
    }

    private void Submit()
    {
        if (!email.HasId)
        {
            Add(Smtp2GoEventKind.Rejected, submitted, email.Recipients[0], "550 that sender is not verified");
            return;
        }

        Add(Smtp2GoEventKind.Processed, submitted, recipient: null);
        Send();
    }

    private void Send()
    {
        foreach (var recipient in email.Recipients)
        {
            switch (random.Next(1000))
            {
                case < 15:
                    Add(Smtp2GoEventKind.Rejected, submitted.AddSeconds(1), recipient, "550 recipient is on the suppression list");
                    break;
                case < 35:
                    Bounce(Smtp2GoEventKind.HardBounced, Soon(submitted), recipient, "550 5.1.1 user unknown");
                    break;
                case < 75:
                    SendAgain(recipient);
                    break;
                default:
                    Deliver(Soon(submitted), recipient);
                    break;
            }
        }
    }

    private void SendAgain(string recipient)
    {
        var time = Soon(submitted);
        for (var i = random.Next(1, 4); i > 0; i--, time = time.AddMinutes(random.Next(5, 120)))
        {
            Bounce(Smtp2GoEventKind.SoftBounced, time, recipient, "452 4.2.2 mailbox is full\ntry again later");
        }

        if (random.Next(4) > 0)
        {
            Deliver(time, recipient);
        }
    }

    private void Deliver(DateTimeOffset time, string recipient)
    {
        Bounce(Smtp2GoEventKind.Delivered, time, recipient, "250 2.0.0 OK queued as 4bX1");
        if (random.Next(4) == 0)
        {
            Read(time, recipient);
        }

        switch (random.Next(1000))
        {
            case < 2:
                Add(Smtp2GoEventKind.Spam, Later(time), recipient, string.Empty);
                break;
            case < 8:
                time = Later(time);
                Add(Smtp2GoEventKind.Unsubscribed, time, recipient, email.Sender);
                if (random.Next(4) == 0)
                {
                    Add(Smtp2GoEventKind.Resubscribed, Later(time), recipient, email.Sender);
                }

                break;
        }
    }

    private void Read(DateTimeOffset time, string recipient)
    {
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            time = Later(time);
            Add(Smtp2GoEventKind.Opened, time, recipient, client: People.Client(random));
            if (random.Next(12) == 0)
            {
                // Two events, whatever they look like.
                Add(Smtp2GoEventKind.Opened, time, recipient, client: People.Client(random));
            }

            if (random.Next(6) == 0)
            {
                Add(
                    Smtp2GoEventKind.Clicked, time.AddSeconds(random.Next(1, 60)), recipient, client: People.Client(random),
                    link: $"https://shop.example.com/offer?id={random.Next(100)}&from=mail");
            }
        }
    }

    /// <summary>What the recipient's server answered.</summary>
    private void Bounce(Smtp2GoEventKind kind, DateTimeOffset time, string recipient, string answer) =>
        Add(kind, time, recipient, answer, isFromServer: true);

    private void Add(
        Smtp2GoEventKind kind, DateTimeOffset time, string? recipient, string? answer = null, ReaderClient? client = null,
        string? link = null, bool isFromServer = false) => events.Add(new Smtp2GoEvent
        {
            Id = People.NewId(random),
            Email = email,
            Kind = kind,
            Date = time,
            Fraction = Fraction(),
            Recipient = recipient,
            SmtpResponse = answer,
            Host = isFromServer ? Server : null,
            HostName = isFromServer ? ServerName : null,
            Client = client,
            Link = link,
        });

    private TimeSpan Fraction() => TimeSpan.FromMicroseconds(random.Next(1_000_000));

    private DateTimeOffset Soon(DateTimeOffset time) => time.AddSeconds(random.Next(1, 30));

    private DateTimeOffset Later(DateTimeOffset time) => time.AddSeconds(random.Next(20, 6 * 3600));
}
