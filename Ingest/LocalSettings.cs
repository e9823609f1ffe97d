using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest;

/// <summary>The <c>Values</c> of <c>local.settings.json</c>, as func reads them. Environment variables must take precedence.</summary>
internal static class LocalSettings
{
    /// <summary>Reads the file; empty if there is none.</summary>
    /// <exception cref="InvalidDataException">The file is not a JSON object.</exception>
    public static Dictionary<string, string?> Read(string folder) =>
        new ConfigurationBuilder()
            .SetBasePath(folder)
            .AddJsonFile("local.settings.json", optional: true)
            .Build()
            .GetSection("Values")
            .GetChildren()
            .ToDictionary(
                setting => setting.Key.Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), setting => setting.Value);
}
