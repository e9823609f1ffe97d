using System.Reflection;
using Smtp2GoIngest.Lab.WorkerHost;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tests;

/// <summary>FunctionApp's own build output, started with these settings and none of the app's others.</summary>
internal static class BuiltWorker
{
    /// <summary>The folder that is deployed.</summary>
    public static string Folder { get; } = Path.GetFullPath(typeof(BuiltWorker).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "WorkerFolder").Value!);

    public static Task<FunctionsHost> StartAsync(string account, IReadOnlyDictionary<string, string?>? settings = null) =>
        FunctionsHost.StartAsync(
            Folder,
            [
                .. NoneOfTheApp(),
                new("EventStorage", account),
                new("Webhook:Username", IngestApp.Username),
                new("Webhook:Password", IngestApp.Password),
                .. settings ?? new Dictionary<string, string?>(),
            ],
            Test.Token);

    /// <param name="host">Where the host listens for the worker.</param>
    public static FunctionsHostWorker Start(Uri host, IReadOnlyDictionary<string, string?> settings) =>
        FunctionsHostWorker.Start(Folder, host, [.. NoneOfTheApp(), .. settings]);

    private static IEnumerable<KeyValuePair<string, string?>> NoneOfTheApp() => Environment.GetEnvironmentVariables().Keys
        .Cast<string>()
        .Where(name => name.StartsWith($"{WebhookOptions.Section}__", StringComparison.Ordinal)
            || name.StartsWith($"{Smtp2GoOptions.Section}__", StringComparison.Ordinal)
            || name.StartsWith(StorageOptions.Connection, StringComparison.Ordinal))
        .Select(name => KeyValuePair.Create(name, (string?)null));
}
