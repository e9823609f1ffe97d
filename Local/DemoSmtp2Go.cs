using System.Globalization;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Local;

/// <summary>
/// An SMTP2GO of our own, with a day's mail. Some of its events never arrived: nobody had selected them, or the app was down.
/// </summary>
internal sealed class DemoSmtp2Go : IAsyncDisposable
{
    public const string Key = "api-DEMODEMODEMODEMODEMODEMODEMODEMO";
    public const int Emails = 150;

    /// <summary>Those that nobody selected.</summary>
    public static readonly IReadOnlyList<string> Forgotten = ["click", "unsubscribe", "resubscribe"];

    private const int Seed = 17;

    // The tool does not compare the last ten minutes.
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromMinutes(1);

    private readonly Smtp2GoServer server;

    private DemoSmtp2Go(Smtp2GoServer server, DateTimeOffset until, int lost, bool isNew) =>
        (this.server, Until, Lost, IsNew) = (server, until, lost, isNew);

    /// <summary>Of its API.</summary>
    public Uri Url => new(server.Url);

    public DateTimeOffset From => Until.AddDays(-1);

    /// <summary>The end of its day.</summary>
    public DateTimeOffset Until { get; }

    /// <summary>How many of the day's events never arrived.</summary>
    public int Lost { get; }

    /// <summary>False if an earlier start sent the mail.</summary>
    public bool IsNew { get; }

    public static async Task<DemoSmtp2Go> StartAsync(
        DemoPlace place, DemoData data, Demo demo, Steps steps, CancellationToken cancellationToken)
    {
        var now = DateTimeOffset.UtcNow;
        var until = data.EndOfMail(now - Age);
        var account = new Smtp2GoAccount(until.AddDays(-1));
        account.Keys.Add(new ApiKey(Key, "/activity/search", "/webhook/view"));
        account.Add(Traffic.Day(Seed, Emails, until.AddDays(-1)));
        var webhook = account.AddWebhook(
            new Smtp2GoWebhook(new UriBuilder(demo.Endpoint) { UserName = Demo.Username, Password = Demo.Password }.Uri)
            {
                Events = [.. EventNames.Webhook.Except(Forgotten)],
            });
        var isNew = data.LostEvents is null;
        if (data.LostEvents is not { } lost)
        {
            await steps.RunAsync(
                $"Sending the webhooks of {Emails} emails, as SMTP2GO would", () => SendAsync(account, webhook, until, cancellationToken));
            await steps.RunAsync("Waiting for them to be stored", () => WaitUntilStoredAsync(demo, cancellationToken));
            data.LostEvents = lost = account.Events.Count(it => it is { Email.HasId: true, WasDelivered: false });
        }

        account.Add([.. demo.Samples.Select(EventOf).OfType<Smtp2GoEvent>()]);
        foreach (var it in account.Events)
        {
            it.SearchableFrom = it.Date;
        }

        account.Now = now;
        var api = await Smtp2GoServer.StartAsync(
            account, TimeProvider.System, AzuritePorts.OrFree(place.Smtp2GoPort), cancellationToken);
        return new DemoSmtp2Go(api, until, lost, isNew);
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static async Task SendAsync(
        Smtp2GoAccount account, Smtp2GoWebhook webhook, DateTimeOffset until, CancellationToken cancellationToken)
    {
        using var delivery = new WebhookDelivery(account, webhook, Seed);
        var (down, up) = (until.AddHours(-13), until.AddHours(-10));
        delivery.AddOutage(down, up);
        await delivery.AdvanceAsync(up, cancellationToken);

        // As somebody may do in SMTP2GO's list of failed notifications. Otherwise it would send them now.
        foreach (var failed in delivery.FailedNotifications)
        {
            delivery.Cancel(failed);
        }

        await delivery.AdvanceAsync(until + WebhookDelivery.LongestDelay, cancellationToken);
        if (delivery.FailedNotifications is [var first, ..])
        {
            throw new InvalidOperationException($"The app answered a webhook with {first.Tries[^1].Status}.");
        }
    }

    private static Task WaitUntilStoredAsync(Demo demo, CancellationToken cancellationToken) => QueueDrain.WaitAsync(
        [new QueueClient(demo.ConnectionString, WebhookQueue.Name), new QueueClient(demo.ConnectionString, WebhookQueue.PoisonName)],
        StoreTimeout,
        cancellationToken);

    // The samples are stored too. Without them in the account, they would count as surplus.
    private static Smtp2GoEvent? EventOf(SampleWebhook sample)
    {
        var fields = sample.Fields.ToDictionary(it => it.Key, it => it.Value, StringComparer.Ordinal);
        if (Text("email_id") is not { } emailId)
        {
            // An SMS is not in its activity.
            return null;
        }

        var recipient = Text("rcpt");
        return new Smtp2GoEvent
        {
            Id = Text("id")!,
            Email = new Smtp2GoEmail
            {
                EmailId = emailId,
                Sender = Text("sender")!,
                Recipients = fields.GetValueOrDefault("recipients") as IReadOnlyList<string> ?? [recipient ?? Text("recipients")!],
                Subject = Text("subject")!,
                Username = Text("auth")!,
            },
            Kind = Enum.GetValues<Smtp2GoEventKind>().First(kind => EventNames.OfWebhook(kind) == Text("event")
                && (Text("bounce") == "hard") == (kind == Smtp2GoEventKind.HardBounced)),
            Date = DateTimeOffset.Parse(Text("time")!, CultureInfo.InvariantCulture),
            Recipient = recipient,
            SmtpResponse = Text("message"),
        };

        string? Text(string name) => fields.GetValueOrDefault(name) as string;
    }
}
