using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using OpenTelemetry;
using OpenTelemetry.Trace;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Exports metrics, traces and logs if one of the usual variables is set; otherwise adds nothing.</summary>
internal static class TelemetryExport
{
    // Other sources must not record URLs: those from HTTP clients and the Azure SDK contain row keys.
    public static OpenTelemetryBuilder? AddTelemetry(
        this IServiceCollection services, IConfiguration configuration, params string[] otherSources)
    {
        services.AddOptions<TelemetryOptions>().Bind(configuration).ValidateOnStart();
        services.AddSingleton<IValidateOptions<TelemetryOptions>, TelemetryOptionsValidator>();

        // An exporter that fails while the host is being built would hide what the validation says.
        var options = configuration.Get<TelemetryOptions>() ?? new TelemetryOptions();
        var (otlp, azureMonitor) = (!string.IsNullOrEmpty(options.OtlpEndpoint), !string.IsNullOrEmpty(options.ConnectionString));
        if ((!otlp && !azureMonitor) || new TelemetryOptionsValidator().Validate(null, options).Failed)
        {
            return null;
        }

        var telemetry = services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddMeter(IngestMetrics.Name))
            .WithTracing(traces => traces.AddSource([IngestMetrics.Name, .. otherSources]))
            .WithLogging();
        if (otlp)
        {
            telemetry.UseOtlpExporter();
        }

        if (azureMonitor)
        {
            telemetry.UseAzureMonitorExporter(exporter =>
            {
                exporter.ConnectionString = options.ConnectionString;
                exporter.Credential = CredentialOf(options.Authentication);
                exporter.TracesPerSecond = null;
                exporter.SamplingRatio = 1;
                exporter.EnableTraceBasedLogsSampler = false;
            });
        }

        // Last, so that it wins: nothing is sampled, whatever the exporter's default (5 traces a second, and the logs with them),
        // OpenTelemetry's variables or the caller's traceparent say. Without this, one of a storm of 600 errors arrived.
        return telemetry.WithTracing(traces => traces.SetSampler(new AlwaysOnSampler()));
    }

    // The system-assigned identity has no ClientId.
    private static ManagedIdentityCredential? CredentialOf(string? authentication)
    {
        var parts = authentication?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        const string ClientId = "ClientId=";
        return !parts.Contains("Authorization=AAD") ? null
            : parts.FirstOrDefault(part => part.StartsWith(ClientId, StringComparison.Ordinal)) is { } id
                ? new(ManagedIdentityId.FromUserAssignedClientId(id[ClientId.Length..]))
            : new(ManagedIdentityId.SystemAssigned);
    }
}
