using Microsoft.Extensions.Time.Testing;
using Microsoft.JSInterop;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>Nothing that a page waits for takes for ever, and one list does not hold up another.</summary>
public sealed class OpenListTests
{
    private readonly FakeTimeProvider clock = new();
    private int changes;

    [Fact]
    public async Task A_read_that_never_ends_fails_and_can_be_tried_again()
    {
        var calls = 0;
        using var list = ListOf(token => calls++ == 0 ? Task.Delay(Timeout.Infinite, token) : Task.CompletedTask);

        var first = list.ReadMoreAsync();
        await list.ReadMoreAsync();
        Assert.Equal((true, 1), (list.IsReading, calls));
        clock.Advance(TimeSpan.FromSeconds(31));
        await first;
        Assert.IsType<TimeoutException>(list.Failure);
        Assert.False(list.IsReading);

        await list.ReadMoreAsync();
        Assert.Null(list.Failure);
        Assert.Equal((2, 4), (calls, changes));
    }

    [Fact]
    public async Task A_list_that_was_closed_is_told_to_stop_and_changes_nothing_on_the_page()
    {
        var list = ListOf(token => Task.Delay(Timeout.Infinite, token));
        var reading = list.ReadMoreAsync();
        var asking = list.TryAsync(token => Task.Delay(Timeout.Infinite, token));
        changes = 0;

        list.Dispose();

        await reading;
        Assert.NotNull(await asking);
        await list.ReadMoreAsync();
        Assert.Equal(0, changes);
    }

    [Fact]
    public async Task Nobody_looks_at_a_page_whose_browser_does_not_answer()
    {
        var viewport = new Viewport(new Browser(token => Task.Delay(Timeout.Infinite, token)), clock);
        var place = viewport.PlaceAsync(Test.Token);

        clock.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(Viewport.Hidden, await place);
        var scrolling = viewport.GoToTopAsync(Test.Token);
        clock.Advance(TimeSpan.FromSeconds(6));
        await scrolling;
        Assert.Equal(Viewport.Hidden, await new Viewport(new Browser(_ => throw new JSException("gone")), clock).PlaceAsync(Test.Token));
    }

    [Fact]
    public async Task A_page_that_was_left_ends_its_question_to_the_browser()
    {
        using var left = new CancellationTokenSource();
        var place = new Viewport(new Browser(token => Task.Delay(Timeout.Infinite, token)), clock).PlaceAsync(left.Token);

        await left.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => place);
    }

    private OpenList ListOf(Func<CancellationToken, Task> read) => new(read, clock, () => changes++);

    private sealed class Browser(Func<CancellationToken, Task> answer) : IJSRuntime
    {
        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => throw new NotSupportedException();

        public async ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args)
        {
            await answer(cancellationToken);
            return default!;
        }
    }
}
