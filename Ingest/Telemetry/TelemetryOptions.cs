using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Where telemetry goes: the variables that every OpenTelemetry exporter and the Functions host read.</summary>
internal sealed class TelemetryOptions
{
    [ConfigurationKeyName("OTEL_EXPORTER_OTLP_ENDPOINT")]
    public string? OtlpEndpoint { get; set; }

    [ConfigurationKeyName("OTEL_EXPORTER_OTLP_PROTOCOL")]
    public string? OtlpProtocol { get; set; }

    [ConfigurationKeyName("OTEL_EXPORTER_OTLP_HEADERS")]
    public string? OtlpHeaders { get; set; }

    [ConfigurationKeyName("APPLICATIONINSIGHTS_CONNECTION_STRING")]
    public string? ConnectionString { get; set; }

    /// <summary>As the Functions host reads it: <c>ClientId=…;Authorization=AAD</c>.</summary>
    [ConfigurationKeyName("APPLICATIONINSIGHTS_AUTHENTICATION_STRING")]
    public string? Authentication { get; set; }
}

/// <summary>Refuses values that the exporters would silently ignore, or that would end the start with a stack trace.</summary>
internal sealed class TelemetryOptionsValidator : IValidateOptions<TelemetryOptions>
{
    public ValidateOptionsResult Validate(string? name, TelemetryOptions options)
    {
        var failures = Failures(options).ToList();
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static IEnumerable<string> Failures(TelemetryOptions options)
    {
        if (!string.IsNullOrEmpty(options.OtlpEndpoint) && !IsUrl(options.OtlpEndpoint))
        {
            yield return "OTEL_EXPORTER_OTLP_ENDPOINT is not a URL that begins with http:// or https://.";
        }

        if (!string.IsNullOrEmpty(options.OtlpProtocol) && options.OtlpProtocol is not ("grpc" or "http/protobuf"))
        {
            yield return "OTEL_EXPORTER_OTLP_PROTOCOL must be grpc or http/protobuf.";
        }

        if (!string.IsNullOrEmpty(options.OtlpHeaders) && Array.Exists(options.OtlpHeaders.Split(','), header => !header.Contains('=')))
        {
            yield return "OTEL_EXPORTER_OTLP_HEADERS must be name=value, or several with commas between them.";
        }

        if (!string.IsNullOrEmpty(options.ConnectionString) && !IsConnectionString(options.ConnectionString))
        {
            yield return "APPLICATIONINSIGHTS_CONNECTION_STRING is not valid: copy it from the Application Insights resource's overview.";
        }
    }

    private static bool IsUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps);

    private static bool IsConnectionString(string text)
    {
        var parts = text
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2, StringSplitOptions.TrimEntries))
            .ToList();
        return parts.TrueForAll(part => part.Length == 2)
            && parts.TrueForAll(part => !part[0].EndsWith("Endpoint", StringComparison.OrdinalIgnoreCase) || IsUrl(part[1]))
            && parts.DistinctBy(part => part[0], StringComparer.OrdinalIgnoreCase).Count() == parts.Count
            && parts.Exists(part => part[0].Equals("InstrumentationKey", StringComparison.OrdinalIgnoreCase) && part[1].Length > 0);
    }
}
