using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Keeps ASP.NET Core from logging URLs, which may contain a secret, at any configured log level.</summary>
internal static class SilentLogging
{
    // Below Warning, its hosting, routing and server categories log paths and query strings.
    private const string UrlWriter = "Microsoft.AspNetCore";

    // Adds a scope with the path to every other line unless it is off completely.
    private const string ScopeWriter = "Microsoft.AspNetCore.Hosting.Diagnostics";

    public static IServiceCollection AddSilentLogging(this IServiceCollection services) =>
        services.AddLogging().PostConfigure<LoggerFilterOptions>(static options =>
        {
            List<LoggerFilterRule> rules = [.. options.Rules, new LoggerFilterRule(null, UrlWriter, LogLevel.Warning, null)];
            options.Rules.Clear();
            foreach (var rule in rules)
            {
                options.Rules.Add(new LoggerFilterRule(rule.ProviderName, rule.CategoryName, rule.LogLevel, (provider, category, level) =>
                    category != ScopeWriter
                    && (level >= LogLevel.Warning || category?.StartsWith(UrlWriter, StringComparison.OrdinalIgnoreCase) != true)
                    && rule.Filter?.Invoke(provider, category, level) != false));
            }
        });
}
