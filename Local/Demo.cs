using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Builder;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;

namespace Smtp2GoIngest.Local;

/// <summary>Azurite and the app, both running, with the sample events stored.</summary>
internal sealed class Demo : IAsyncDisposable
{
    public const string Username = "smtp2go";

    // Public, and the one that FunctionApp/webhook.http and local.settings.sample.json have. The app accepts it on loopback only.
    public const string Password = WebhookOptions.SamplePassword;

    // Storing takes a second, or ten on a busy machine.
    private static readonly TimeSpan StoreTimeout = TimeSpan.FromMinutes(1);

    private readonly Azurite azurite;
    private readonly WebApplication app;

    private Demo(Azurite azurite, WebApplication app, DemoEvents events)
    {
        (this.azurite, this.app) = (azurite, app);
        Samples = [.. events.Forms(), .. events.Documents()];
    }

    /// <summary>As short as it can be: there is a shorthand for the usual ports.</summary>
    public string ConnectionString => IsAtUsualStoragePorts ? "UseDevelopmentStorage=true" : azurite.ConnectionString;

    /// <summary>The webhooks that it posted at its first start.</summary>
    public IReadOnlyList<SampleWebhook> Samples { get; }

    public AzuritePorts StoragePorts => azurite.Ports;

    public bool IsAtUsualStoragePorts => azurite.Ports == AzuritePorts.Usual;

    public bool IsAtUsualAppPort => Endpoint.Port == DemoPlace.Usual.AppPort;

    public Uri Endpoint => new(new Uri(app.Urls.First()), "webhook/smtp2go");

    /// <summary>Cancelled when the app is told to stop, by a signal for example.</summary>
    public CancellationToken Stopping => app.Lifetime.ApplicationStopping;

    public static async Task<Demo> StartAsync(DemoPlace place, DemoData data, Steps steps, CancellationToken cancellationToken)
    {
        // Azurite loads while the app is built, which needs no storage before it starts.
        Directory.CreateDirectory(data.StorageFolder);
        var starting = Azurite.StartAsync(data.StorageFolder, [], place.Storage.OrFree(), cancellationToken);
        var built = await BuildAsync(place.AppPort, starting);
        var samples = new DemoEvents(data.TimeOfSamples(DateTimeOffset.UtcNow - DemoEvents.Span - TimeSpan.FromMinutes(1)));
        var demo = new Demo(await AzuriteAsync(), built, samples);
        try
        {
            await steps.RunAsync("Starting the app", () => demo.StartAppAsync(cancellationToken));
            if (!data.HasSamples)
            {
                await steps.RunAsync("Posting sample events, as forms and as JSON", () => demo.PostAsync(samples, cancellationToken));
                await steps.RunAsync("Waiting for them to be stored", () => demo.WaitForRowsAsync(cancellationToken));
                data.HasSamples = true;
            }

            return demo;
        }
        catch
        {
            await demo.DisposeAsync();
            throw;
        }

        async Task<Azurite> AzuriteAsync()
        {
            try
            {
                return await steps.RunAsync("Starting Azurite", () => starting);
            }
            catch
            {
                await built.DisposeAsync();
                throw;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(CancellationToken.None);
        await app.DisposeAsync();
        await azurite.DisposeAsync();
    }

    private static async Task<WebApplication> BuildAsync(int port, Task<Azurite> starting)
    {
        try
        {
            return Build(port);
        }
        catch
        {
            await (await starting).DisposeAsync();
            throw;
        }
    }

    private static WebApplication Build(int port) => SelfHostedApp.Build([],
    [
        new("urls", $"http://127.0.0.1:{AzuritePorts.OrFree(port)}"),
        new($"{WebhookOptions.Section}:{nameof(WebhookOptions.Username)}", Username),
        new($"{WebhookOptions.Section}:{nameof(WebhookOptions.Password)}", Password),
        new("Logging:LogLevel:Default", "Warning"),
    ]);

    private Task StartAppAsync(CancellationToken cancellationToken)
    {
        app.Configuration[StorageOptions.Connection] = azurite.ConnectionString;
        return app.StartAsync(cancellationToken);
    }

    private async Task PostAsync(DemoEvents samples, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")));
        var bodies = samples.Forms()
            .Select(webhook => (Body: webhook.ToForm(), Type: "application/x-www-form-urlencoded"))
            .Concat(samples.Documents().Select(webhook => (Body: webhook.ToJson(), Type: "application/json")));
        await Parallel.ForEachAsync(bodies, cancellationToken, async (post, token) =>
        {
            using var content = new StringContent(post.Body, Encoding.UTF8, post.Type);
            using var answer = await client.PostAsync(Endpoint, content, token);
            if (!answer.IsSuccessStatusCode)
            {
                throw new InvalidOperationException($"The app answered a sample event with {(int)answer.StatusCode}.");
            }
        });
    }

    private async Task WaitForRowsAsync(CancellationToken cancellationToken)
    {
        var expected = Samples.Count;
        var table = new TableClient(azurite.ConnectionString, EventStore.TableName);
        var deadline = DateTimeOffset.UtcNow + StoreTimeout;
        while (await CountAsync(table, cancellationToken) is var stored && stored < expected)
        {
            if (DateTimeOffset.UtcNow > deadline)
            {
                throw new InvalidOperationException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"Only {stored} of {expected} sample events were stored within {StoreTimeout.TotalSeconds} seconds. Run this again."));
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
        }
    }

    private static async Task<int> CountAsync(TableClient table, CancellationToken cancellationToken)
    {
        try
        {
            return await table.QueryAsync<TableEntity>(select: ["PartitionKey"], cancellationToken: cancellationToken)
                .CountAsync(cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // The first event creates the table.
            return 0;
        }
    }
}
