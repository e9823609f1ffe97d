using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest;

/// <summary>The <c>Values</c> of <c>local.settings.json</c>, as func reads them; an environment variable of the same name is to win.</summary>
internal static class LocalSettings
{
    /// <summary>Reads the file; nothing where there is none.</summary>
    /// <param name="folder">Where it lies.</param>
    /// <exception cref="InvalidDataException">It is no JSON object.</exception>
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
