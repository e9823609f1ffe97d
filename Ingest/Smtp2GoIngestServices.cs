using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest;

/// <summary>Registers everything that a host calls.</summary>
public static partial class Smtp2GoIngestServices
{
    /// <summary>Adds the app. Its settings are validated when the host starts.</summary>
    public static IServiceCollection AddSmtp2GoIngest(this IServiceCollection services, IConfiguration configuration)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(_ => AppEnvironment.Detect(configuration));
        services.AddSilentLogging();
        services.AddMetrics();
        services.AddSingleton<IngestMetrics>();

        services.AddOptions<StorageOptions>()
            .Bind(configuration.GetSection(StorageOptions.Connection))
            .Configure(options => options.ConnectionString = configuration[StorageOptions.Connection])
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<StorageOptions>, StorageOptionsValidator>();
        services.TryAddSingleton(s => StorageClients.Queues(s.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.TryAddSingleton(s => StorageClients.Tables(s.GetRequiredService<IOptions<StorageOptions>>().Value));
        services.TryAddSingleton(s => StorageClients.Blobs(s.GetRequiredService<IOptions<StorageOptions>>().Value));

        // The check at the start and the app each create their own options: one warning for both.
        var warnings = 0;
        services.AddOptions<WebhookOptions>()
            .Bind(configuration.GetSection(WebhookOptions.Section))
            .PostConfigure<ILogger<WebhookOptions>>((options, logger) =>
            {
                if (options.AllowAnonymous && Interlocked.Exchange(ref warnings, 1) == 0)
                {
                    Log.Anonymous(logger);
                }
            })
            .ValidateOnStart();
        services.AddSingleton<IValidateOptions<WebhookOptions>, WebhookOptionsValidator>();
        services.AddSingleton(s => new WebhookAuthenticator(s.GetRequiredService<IOptions<WebhookOptions>>().Value));
        services.AddSingleton<CallerAddress>();
        services.AddSingleton<SourceAllowList>();
        services.AddHostedService(s => s.GetRequiredService<SourceAllowList>());
        services.TryAddSingleton<ResolveHost>(static (host, cancellationToken) => Dns.GetHostAddressesAsync(host, cancellationToken));
        services.AddSingleton<RefusalReport>();
        services.AddSingleton<WebhookReceiver>();

        services.AddSingleton<StorageClock>();
        services.AddSingleton<WebhookBlobs>();
        services.AddSingleton<WebhookQueue>();
        services.AddSingleton<QueueWatch>();

        services.AddSingleton<TouchedDays>();
        services.AddSingleton<EventStore>();
        services.AddSingleton<Recipients>();
        services.AddSingleton<DeadLetters>();
        services.AddSingleton<WebhookProcessor>();
        services.AddOptions<EventsOptions>().Bind(configuration.GetSection(EventsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<EventsOptions>, EventsOptionsValidator>();
        services.AddSingleton<BlobSweep>();
        services.AddSingleton<DayCounting>();
        services.AddSingleton<Retention>();
        services.AddSingleton<Rebuild>();
        services.AddSingleton<Forgetting>();

        services.AddOptions<Smtp2GoOptions>().Bind(configuration.GetSection(Smtp2GoOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<Smtp2GoOptions>, Smtp2GoOptionsValidator>();
        services.AddSmtp2GoClient();
        services.AddSingleton<Reconciler>();
        services.AddSingleton<ActivityAudit>();
        return services;
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Warning, "Webhook__AllowAnonymous is true: anybody who knows the URL can post events.")]
        public static partial void Anonymous(ILogger logger);
    }
}
