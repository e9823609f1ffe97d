using Azure.Data.Tables;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.Smtp2Go;
using Smtp2GoIngest.Reconciling;
using Smtp2GoWebhook = Smtp2GoIngest.Lab.Smtp2Go.Smtp2GoWebhook;

namespace Smtp2GoIngest.Tests;

/// <summary>An account at our own SMTP2GO, the app that its webhooks go to, and what reconciles the two.</summary>
internal sealed class ReconciledAccount : IAsyncDisposable
{
    public const string Key = "api-0F1E2D3C4B5A69788796A5B4C3D2E1F0";

    /// <summary>A whole day, long ago.</summary>
    public static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    private readonly ServiceProvider services;

    private ReconciledAccount(
        Smtp2GoAccount account, Smtp2GoServer server, IngestApp app, Smtp2GoWebhook webhook, AccountTime time, ServiceProvider services)
    {
        (Account, Server, App, Webhook, Time, this.services) = (account, server, app, webhook, time, services);
        Delivery = new WebhookDelivery(account, webhook, seed: 3);
    }

    public Smtp2GoAccount Account { get; }

    public Smtp2GoServer Server { get; }

    public IngestApp App { get; }

    public Smtp2GoWebhook Webhook { get; }

    public WebhookDelivery Delivery { get; }

    public AccountTime Time { get; }

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    /// <param name="events">What happens at SMTP2GO.</param>
    /// <param name="storage">The storage account as the reconciler reaches it; the app reaches it directly.</param>
    /// <param name="speed">
    /// How much faster than the machine's the API's clock runs. At 60, a minute takes a second, and that is all that a try may take.
    /// </param>
    /// <param name="pump">False to leave what is filled in in the queue.</param>
    /// <param name="configure">What reconciles; the app has services of its own.</param>
    public static async Task<ReconciledAccount> StartAsync(
        string connectionString,
        IReadOnlyList<Smtp2GoEvent> events,
        string? storage = null,
        ILoggerProvider? logs = null,
        double speed = 60,
        bool pump = true,
        Action<IServiceCollection>? configure = null)
    {
        var account = new Smtp2GoAccount(Start);
        account.Keys.Add(new ApiKey(Key, "/activity/search", "/webhook/view"));
        account.Add(events);
        var waits = new ScaledTime(DateTimeOffset.UtcNow, speed);
        var time = new AccountTime(account, waits);
        var server = await Smtp2GoServer.StartAsync(account, waits, 0, Test.Token);
        var app = await IngestApp.StartAsync(connectionString, pump: pump);
        var webhook = account.AddWebhook(new Smtp2GoWebhook(
            new UriBuilder(new Uri(app.Url, "webhook/smtp2go")) { UserName = IngestApp.Username, Password = IngestApp.Password }.Uri));
        var collection = new ServiceCollection()
            .AddSingleton<TimeProvider>(time)
            .AddSmtp2GoIngest(new ConfigurationBuilder()
                .AddInMemoryCollection([
                    new("EventStorage", storage ?? connectionString), new("Smtp2Go:ApiKey", Key), new("Smtp2Go:ApiUrl", server.Url),
                ])
                .Build());
        if (logs is not null)
        {
            collection.AddLogging(logging => logging.SetMinimumLevel(LogLevel.Trace).AddProvider(logs));
        }

        configure?.Invoke(collection);
        return new ReconciledAccount(account, server, app, webhook, time, collection.BuildServiceProvider());
    }

    /// <summary>Sends the webhooks of a span of time, with all their retries, and waits until they are stored.</summary>
    public async Task SendAsync(TimeSpan length)
    {
        await Delivery.AdvanceAsync(Start + length, Test.Token);
        await App.DrainedAsync();
    }

    public ReconcileWindow Window(TimeSpan length, bool now = true) => ReconcileWindow.Of(Start, Start + length, now, Time);

    public async Task<ReconcileBooks> ReconcileAsync(ReconcileWindow window, bool apply = true, CancellationToken? cancellationToken = null)
    {
        var books = ReconcileBooks.None;
        await foreach (var slice in Get<Reconciler>().ReconcileAsync(window, apply, cancellationToken ?? Test.Token))
        {
            books = books.Plus(slice.Books);
        }

        await App.DrainedAsync();
        return books;
    }

    /// <summary>Every event of the account is stored once: from its webhook if that came, else filled in.</summary>
    public async Task AssertStoredOnceAsync()
    {
        Assert.Empty(await App.DeadLettersAsync());
        Assert.Empty(StoredCopy.Compare(Account.Events, (await App.EventsAsync()).Select(CopyOf)));
    }

    public async ValueTask DisposeAsync()
    {
        Delivery.Dispose();
        await services.DisposeAsync();
        await App.DisposeAsync();
        await Server.DisposeAsync();
    }

    private static StoredCopy CopyOf(TableEntity row) => new(
        row.GetString("email_id"),
        row.GetString("event"),
        row.GetString("bounce"),
        row.GetString("rcpt"),
        row.GetDateTimeOffset("time")!.Value,
        row.GetString("id"),
        row.GetString("source") == "activity");
}
