using System.Globalization;
using Spectre.Console;

namespace Smtp2GoIngest.Local;

/// <summary>Shows what takes a while, and how long it took.</summary>
internal sealed class Steps(IAnsiConsole console)
{
    public Task RunAsync(string what, Func<Task> step) => RunAsync(what, _ => step());

    public Task RunAsync(string what, Func<Action<string>, Task> step) => RunAsync(what, async say =>
    {
        await step(say);
        return true;
    });

    public Task<T> RunAsync<T>(string what, Func<Task<T>> step) => RunAsync(what, _ => step());

    /// <param name="step">May say more than <paramref name="what"/> while it runs.</param>
    private async Task<T> RunAsync<T>(string what, Func<Action<string>, Task<T>> step)
    {
        var started = TimeProvider.System.GetTimestamp();

        // Without a terminal, each change would be a new line.
        var result = console.Profile.Capabilities.Interactive
            ? await console.Status().StartAsync(what, context => step(text => context.Status = Markup.Escape(text)))
            : await step(_ => { });
        var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[green]✓[/] {what} [grey]({seconds:0.0} s)[/]");
        return result;
    }
}
