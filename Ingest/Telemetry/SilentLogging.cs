using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Keeps ASP.NET Core from writing URLs, which may hold a secret, into logs and their scopes, whatever levels the settings ask for.</summary>
internal static class SilentLogging
{
    // Below Warning its hosting, routing and server categories write paths and query strings; from Warning on they do not.
    private const string UrlWriter = "Microsoft.AspNetCore";

    // Opens a scope with the path around every other line unless it is off altogether.
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
