namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>The event that the button "Test this webhook" sends: the same with each press.</summary>
internal static class TestButton
{
    public const string SendTime = "2015-08-04T22:39:34Z";

    private static readonly Smtp2GoEmail Email = new()
    {
        EmailId = "1XbZ2k-Cq7Rt0-M4",
        MessageId = "<mail.1412345678.4711@example.org>",
        Sender = "tester@example.org",
        Recipients = ["first@example.com", "second@example.net"],
        Subject = "Mail test - please ignore",
        Username = "tester4711",
        OriginatingHost = "203.0.113.22",
    };

    private static readonly ReaderClient Client =
        new("Mail client", "Thunderbird 2.0", "Other", "Linux", "OC", "NZ", "Auckland", "192.0.2.10");

    public static Smtp2GoEvent EventOf(Smtp2GoEventKind kind) => new()
    {
        Id = $"0123456789abcdef0123456789abcd{(int)kind:x2}",
        Email = Email,
        Kind = kind,
        Date = new DateTimeOffset(2019, 7, 3, 22, 46, 33, TimeSpan.Zero),
        Recipient = kind == Smtp2GoEventKind.Processed ? null : Email.Recipients[0],
        SmtpResponse = kind == Smtp2GoEventKind.Delivered ? "250 OK" : "550 user unknown",
        Host = "203.0.113.22",
        HostName = "mx.example.com",
        Client = kind is Smtp2GoEventKind.Opened or Smtp2GoEventKind.Clicked ? Client : null,
        Link = kind == Smtp2GoEventKind.Clicked ? "https://www.example.com/" : null,
    };
}
