using Microsoft.JSInterop;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>Which part of the page the user sees. A browser that does not answer counts as hidden.</summary>
internal sealed class Viewport(IJSRuntime browser, TimeProvider time)
{
    public const string Hidden = "hidden";

    public const string Top = "top";

    // After its connection broke, a browser may never answer.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary><see cref="Hidden"/>, <see cref="Top"/>, or further down.</summary>
    /// <exception cref="JSDisconnectedException">The page is gone.</exception>
    public async Task<string> PlaceAsync(CancellationToken cancellationToken) =>
        await AskAsync(token => browser.InvokeAsync<string>("studio.place", token), cancellationToken) ?? Hidden;

    public Task GoToTopAsync(CancellationToken cancellationToken) =>
        AskAsync(token => browser.InvokeAsync<object>("scrollTo", token, 0, 0), cancellationToken);

    private async Task<T?> AskAsync<T>(Func<CancellationToken, ValueTask<T>> ask, CancellationToken cancellationToken)
        where T : class
    {
        using var timeout = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await ask(either.Token);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is OperationCanceledException or JSException)
        {
            return null;
        }
    }
}
