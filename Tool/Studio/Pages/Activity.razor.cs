using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio.Pages;

/// <summary>The newest events, and new ones as they are stored.</summary>
public sealed partial class Activity : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(15);

    // A large account takes longer to ask; do not keep it busy with that.
    private const int PauseForEachSecond = 4;

    private readonly CancellationTokenSource left = new();
    private ActivityQuery? query;
    private Viewport? viewport;
    private Followed? followed;
    private int round;

    [SupplyParameterFromQuery(Name = "event")]
    public string? Event { get; set; }

    [SupplyParameterFromQuery(Name = "sender")]
    public string? Sender { get; set; }

    [SupplyParameterFromQuery(Name = "domain")]
    public string? Domain { get; set; }

    [SupplyParameterFromQuery(Name = "provider")]
    public string? Provider { get; set; }

    [SupplyParameterFromQuery(Name = "class")]
    public string? Class { get; set; }

    [SupplyParameterFromQuery(Name = "text")]
    public string? Text { get; set; }

    [SupplyParameterFromQuery(Name = "day")]
    public string? Day { get; set; }

    [SupplyParameterFromQuery(Name = "until")]
    public string? Until { get; set; }

    [SupplyParameterFromQuery(Name = "bounce")]
    public string? Bounce { get; set; }

    [SupplyParameterFromQuery(Name = "machine")]
    public string? Machine { get; set; }

    private ActivityQuery Query => query ??= ActivityQuery.Of(InUrl, DateOnly.FromDateTime(Clock.GetUtcNow().UtcDateTime));

    private Viewport Seen => viewport ??= new Viewport(Browser, Clock);

    private SortedDictionary<string, string> InUrl
    {
        get
        {
            (string Name, string? Value)[] all =
            [
                ("event", Event), ("sender", Sender), ("domain", Domain), ("provider", Provider), ("class", Class), ("text", Text),
                ("day", Day), ("until", Until), ("bounce", Bounce), ("machine", Machine),
            ];
            return new(all.Where(it => it.Value is { Length: > 0 }).ToDictionary(it => it.Name, it => it.Value!), StringComparer.Ordinal);
        }
    }

    private string LiveText => followed switch
    {
        null => string.Empty,
        { Feed.IsLive: false } => "Not live: these days are over",
        { LiveFailure: { } failure } => $"Not live: {FailureText.Explain(failure) ?? "something went wrong."}",
        _ => "Live",
    };

    public async ValueTask DisposeAsync()
    {
        followed?.List.Dispose();
        await left.CancelAsync();
        left.Dispose();
    }

    protected override void OnParametersSet()
    {
        query = null;
        if (Query.Problem is not null)
        {
            // Nothing is asked for, so nothing is shown.
            followed?.List.Dispose();
            followed = null;
        }
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await FollowAsync();
        }
    }

    private async Task<Followed> FirstPageAsync(CancellationToken cancellationToken)
    {
        var feed = new EventFeed(Storage.Tables, Query.Filter, Clock);
        await feed.ReadMoreAsync(cancellationToken);
        Followed? first = null;
        await InvokeAsync(() =>
        {
            // Another question may have taken its place.
            cancellationToken.ThrowIfCancellationRequested();
            followed?.List.Dispose();
            followed = first = new Followed(feed, new OpenList(feed.ReadMoreAsync, Clock, StateHasChanged));
            StateHasChanged();
        });
        return first!;
    }

    // New events appear at the top as they are stored, while somebody is looking at the top.
    private async Task FollowAsync()
    {
        var pause = Pause;
        try
        {
            while (true)
            {
                await Task.Delay(pause, Clock, left.Token);
                var place = await Seen.PlaceAsync(left.Token);
                if (place == Viewport.Hidden || followed is not { Feed.IsLive: true } shown)
                {
                    continue;
                }

                pause = await PollAsync(shown);
                if (shown == followed && place == Viewport.Top)
                {
                    shown.Feed.ShowArrived();
                }

                StateHasChanged();
            }
        }
        catch (Exception e) when (left.IsCancellationRequested || e is JSDisconnectedException)
        {
            // The page was left.
        }
    }

    private async Task<TimeSpan> PollAsync(Followed shown)
    {
        var started = Clock.GetTimestamp();
        shown.LiveFailure = await shown.List.TryAsync(shown.Feed.PollAsync);
        var after = Clock.GetElapsedTime(started) * PauseForEachSecond;
        return shown.LiveFailure is not null && shown == followed ? PauseAfterFailure
            : after > Pause ? after
            : Pause;
    }

    private Task ShowArrivedAsync(Followed shown)
    {
        shown.Feed.ShowArrived();
        return Seen.GoToTopAsync(left.Token);
    }

    private sealed record Followed(EventFeed Feed, OpenList List)
    {
        public Exception? LiveFailure { get; set; }

        public bool CanReadMore => !List.IsReading && Feed is { IsAtEnd: false, IsFull: false };
    }
}
