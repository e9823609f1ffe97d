using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>For commands that change rows: the app's own services do the work, in the account that the command names.</summary>
internal static class AppServices
{
    public static ServiceProvider Services(
        this CommandContext context, ParseResult parsed, Action<IServiceCollection>? configure = null)
    {
        var services = new ServiceCollection()
            .AddSmtp2GoIngest(context.Settings)
            .AddSingleton(context.Tables(parsed))
            .AddSingleton(context.Queues(parsed))
            .AddSingleton(context.Blobs(parsed))
            .AddSingleton(context.Time);
        configure?.Invoke(services);
        return services.BuildServiceProvider();
    }

    public static async Task<T> RunAsync<T>(
        this CommandContext context, ParseResult parsed, string what, Func<IServiceProvider, IProgress<long>, Task<T>> run)
    {
        await using var services = context.Services(parsed);
        return await Progress.ShowAsync(context, what, progress => run(services, progress));
    }
}
