using System.Net.Sockets;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.SelfHost;

/// <summary>The app without a Functions host: Kestrel for the routes, a pump for each queue, a timer for each schedule.</summary>
public static class SelfHostedApp
{
    /// <summary>
    /// Where the app listens unless <c>--urls</c>, <c>ASPNETCORE_URLS</c> or <c>ASPNETCORE_HTTP_PORTS</c> says otherwise: loopback only, on
    /// the port that func uses.
    /// </summary>
    public const string DefaultUrl = "http://127.0.0.1:7071";

    /// <summary>Runs the app until it is told to stop.</summary>
    /// <returns>0; 1 if it cannot start, after writing a line to standard error for each wrong setting.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        WebApplication app;
        var started = false;
        try
        {
            app = Build(args, configure: builder => StayQuiet(builder.Logging, until: () => started));
            if (SettingProblems.Report(app.Services) || !await TryStartAsync(app))
            {
                return 1;
            }
        }
        catch (Exception e) when (SettingProblems.Report(e))
        {
            return 1;
        }

        started = true;
        await using (app)
        {
            await app.WaitForShutdownAsync();
        }

        return 0;
    }

    /// <summary>Builds the app without starting it.</summary>
    /// <param name="settings">All settings; null for those from the arguments, the environment and <c>local.settings.json</c>.</param>
    /// <param name="configure">Called last, to change the builder.</param>
    public static WebApplication Build(
        string[] args, IEnumerable<KeyValuePair<string, string?>>? settings = null, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        Configure(builder.Configuration, settings);
        builder.WebHost.ConfigureKestrel(Limit);
        ListenWhereToldTo(builder);
        builder.Services.AddSmtp2GoIngest(builder.Configuration);
        builder.Services.AddTelemetry(builder.Configuration, "Microsoft.AspNetCore");
        builder.Services.TryAddSingleton(_ => QueueTriggerOptions.FromHostJson());
        AddPump<WebhookProcessor>(builder.Services, WebhookQueue.Name, WebhookQueue.PoisonName, processor => processor.StoreAsync);
        AddPump<WebhookProcessor>(builder.Services, WebhookQueue.PoisonName, null, processor => processor.KeepPoisonAsync);
        AddTimer<QueueWatch>(builder.Services, "WatchQueues", QueueWatch.Schedule, queues => queues.WatchAsync);
        AddTimer<Retention>(builder.Services, "PurgeExpired", Retention.Schedule, retention => retention.PurgeExpiredAsync);
        AddTimer<DayCounting>(builder.Services, "CountDays", DayCounting.Schedule, counting => counting.CountDueAsync);
        AddTimer<ActivityAudit>(builder.Services, "AuditDay", ActivityAudit.Schedule, audit => audit.AuditDueAsync);

        configure?.Invoke(builder);
        var app = builder.Build();
        app.Map(WebhookReceiver.Route, static (HttpRequest request, string endpoint, WebhookReceiver receiver) =>
            receiver.ReceiveAsync(request, endpoint));
        app.Map(WebhookReceiver.HealthRoute, WebhookReceiver.Health);
        app.Map("{*path}", static () => TypedResults.Problem(statusCode: Refusal.UnknownPath.Status, title: Refusal.UnknownPath.Title));
        return app;
    }

    private static void Configure(ConfigurationManager configuration, IEnumerable<KeyValuePair<string, string?>>? settings)
    {
        if (settings is null)
        {
            configuration.Sources.Insert(0, new MemoryConfigurationSource { InitialData = LocalSettings.Read(AppContext.BaseDirectory) });
        }
        else
        {
            configuration.Sources.Clear();
            configuration.AddInMemoryCollection(settings);
        }
    }

    private static void ListenWhereToldTo(WebApplicationBuilder builder)
    {
        var listening = new ListeningOptions { Urls = ListeningOptions.In(builder.Configuration, DefaultUrl) };
        if (listening.Urls is [DefaultUrl])
        {
            builder.WebHost.UseUrls(DefaultUrl);
        }

        builder.Services.AddOptions<ListeningOptions>().Configure(options => options.Urls = listening.Urls).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<ListeningOptions>, ListeningOptionsValidator>();
        builder.Services.AddSingleton(_ => AppEnvironment.Detect(builder.Configuration, listening.IsPublic));
    }

    private static async Task<bool> TryStartAsync(WebApplication app)
    {
        try
        {
            await app.StartAsync();
            return true;
        }
        catch (Exception e) when (e.GetBaseException() is SocketException socket)
        {
            var urls = string.Join(';', app.Services.GetRequiredService<IOptions<ListeningOptions>>().Value.Urls);
            await Console.Error.WriteLineAsync($"Cannot listen on {urls}: {socket.Message}. Choose another address or port with --urls.");
            return false;
        }
    }

    // The app reports this in one line; these two would write the same with a stack trace.
    private static void StayQuiet(ILoggingBuilder logging, Func<bool> until) => logging
        .AddFilter("Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Warning && until())
        .AddFilter("Microsoft.AspNetCore.Server.Kestrel", level => level >= LogLevel.Warning && until());

    private static void Limit(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = 10_000; // An idle or slow one costs less than 10 KiB: docs/security.md.
        kestrel.Limits.MaxRequestLineSize = 4 * 1024; // A path or query with a secret takes a few hundred bytes.
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.MaxRequestHeaderCount = 50;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10); // SMTP2GO itself gives up then.
        kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 1024, gracePeriod: TimeSpan.FromSeconds(5));
    }

    private static void AddPump<T>(
        IServiceCollection services, string queue, string? poison, Func<T, Func<QueueMessage, CancellationToken, Task>> handler)
        where T : notnull =>
        services.AddSingleton<IHostedService, QueuePump>(s =>
        {
            var account = s.GetRequiredService<QueueServiceClient>();
            return new QueuePump(
                account.GetQueueClient(queue),
                poison is null ? null : account.GetQueueClient(poison),
                handler(s.GetRequiredService<T>()),
                s.GetRequiredService<QueueTriggerOptions>(),
                s.GetRequiredService<TimeProvider>(),
                s.GetRequiredService<ILogger<QueuePump>>());
        });

    private static void AddTimer<T>(
        IServiceCollection services, string name, string schedule, Func<T, Func<CancellationToken, Task>> handler)
        where T : notnull =>
        services.AddSingleton<IHostedService, TimerPump>(s => new TimerPump(
            name,
            schedule,
            handler(s.GetRequiredService<T>()),
            s.GetRequiredService<TimeProvider>(),
            s.GetRequiredService<ILogger<TimerPump>>()));
}
