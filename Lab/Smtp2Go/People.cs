namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Who sends and reads mail here: nobody. All addresses are in domains and networks that are set aside for examples.</summary>
internal static class People
{
    private static readonly string[] Names = ["ann", "bo", "Carla.Reyes", "d.o'brien", "eli+news", "fay_wong", "gus", "Hana"];
    private static readonly string[] Domains = ["example.com", "example.net", "example.org", "mail.example", "post.example.net"];
    private static readonly string[] Usernames = ["shop", "newsletter", "api-597435AE4E55", "api-0C1D2E3F4A5B"];
    private static readonly string[] Subjects =
        ["Your order has left", "News of the week", "Réinitialiser le mot de passe", "Rechnung | Juli", "您的订单"];

    private static readonly ReaderClient[] Clients =
    [
        new("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Outlook 16", "Other", "Windows", "EU", "NO", "Oslo", "203.0.113.7"),
        new("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5)", "Apple Mail", "iPhone", "iOS", "OC", "NZ", "Auckland", "198.51.100.9"),
        new("Mozilla/5.0 (via ggpht.com GoogleImageProxy)", "Gmail", "Other", "Other", "NA", "US", "Mountain View", "2001:db8::17"),
        new("Mail client", "Thunderbird 2.0", "Other", "Linux", "OC", "NZ", "Auckland", "192.0.2.10"),
    ];

    public static Smtp2GoEmail Email(DateTimeOffset submitted, Random random, bool isAccepted)
    {
        var sender = Pick(Usernames, random);
        return new Smtp2GoEmail
        {
            EmailId = isAccepted ? EmailIds.New(submitted, random) : Smtp2GoEmail.Unavailable,
            Sender = $"{(sender.StartsWith("api-", StringComparison.Ordinal) ? "app" : sender)}@sender.example.com",
            SenderName = random.Next(2) == 0 ? "The Shop" : string.Empty,
            Recipients = Recipients(isAccepted ? random.Next(100) switch { < 85 => 1, < 95 => 2, _ => 3 } : 1, random),
            Subject = Pick(Subjects, random),
            Username = sender,
            ByteSize = random.Next(1_000, 80_000),
            Headers = sender == "newsletter" ? new Dictionary<string, string> { ["X-Campaign"] = "summer" } : [],
        };
    }

    public static ReaderClient Client(Random random) => Pick(Clients, random);

    public static string NewId(Random random) => random.GetHexString(32, lowercase: true);

    private static List<string> Recipients(int count, Random random) =>
    [
        .. Enumerable.Range(0, count)
            .Select(_ => $"{Pick(Names, random)}{random.Next(2_000)}@{Pick(Domains, random)}")
            .DistinctBy(address => address.ToLowerInvariant()),
    ];

    private static T Pick<T>(T[] all, Random random) => all[random.Next(all.Length)];
}
