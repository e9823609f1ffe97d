using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Exports metrics, traces and logs where one of the usual variables is set; otherwise adds nothing.</summary>
internal static class TelemetryExport
{
    // Other sources must not record URLs: those of HTTP clients and the Azure SDK contain the keys of rows.
    public static OpenTelemetryBuilder? AddTelemetry(
        this IServiceCollection services, IConfiguration configuration, params string[] otherSources)
    {
        var otlp = !string.IsNullOrEmpty(configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var connectionString = configuration["APPLICATIONINSIGHTS_CONNECTION_STRING"];
        if (!otlp && string.IsNullOrEmpty(connectionString))
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

        if (!string.IsNullOrEmpty(connectionString))
        {
            telemetry.UseAzureMonitorExporter(options =>
            {
                options.ConnectionString = connectionString;
                options.Credential = CredentialOf(configuration["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"]);
            });
        }

        return telemetry;
    }

    // As the Functions host reads it: "ClientId=<id>;Authorization=AAD". The system-assigned identity has no ClientId.
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
