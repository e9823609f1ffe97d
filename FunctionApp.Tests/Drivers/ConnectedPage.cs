using System.Diagnostics.CodeAnalysis;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.HtmlRendering.Infrastructure;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.RenderTree;
using Microsoft.AspNetCore.Components.Web.HtmlRendering;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.JSInterop;
using Smtp2GoIngest.Tool.Asking;
using Smtp2GoIngest.Tool.Studio;

namespace Smtp2GoIngest.Tests;

/// <summary>Components of Studio as on a page that is connected, without a browser.</summary>
[SuppressMessage("Usage", "BL0006", Justification = "A renderer is the only way to see a component.")]
internal sealed class ConnectedPage(IServiceProvider services) : StaticHtmlRenderer(services, NullLoggerFactory.Instance)
{
    private readonly AddressBar address = (AddressBar)services.GetRequiredService<NavigationManager>();
    private HtmlRootComponent? root;

    /// <summary>What a user would see as the page breaking down.</summary>
    public List<Exception> Failures { get; } = [];

    /// <param name="url">Relative to the base.</param>
    public static ConnectedPage Of(string account, string url)
    {
        ServiceCollection services = new();
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(TimeText.Utc);
        services.AddSingleton<IJSRuntime>(new NoBrowser());
        services.AddSingleton<NavigationManager>(new AddressBar(url));
        services.AddSingleton(new StudioStorage(
            new TableServiceClient(account), new QueueServiceClient(account), new BlobServiceClient(account)));
        services.AddSupplyValueFromQueryProvider();
        return new ConnectedPage(services.BuildServiceProvider());
    }

    /// <summary>Where it went to.</summary>
    public IReadOnlyList<string> Visited => address.Visited;

    protected override RendererInfo RendererInfo { get; } = new("Server", isInteractive: true);

    /// <summary>As when the user goes elsewhere.</summary>
    public void Leave() => Dispose();

    /// <param name="refresh">Is given a call that renders the content again.</param>
    public Task ShowAsync(RenderFragment content, Action<Action>? refresh = null) => Dispatcher.InvokeAsync(() =>
    {
        Dictionary<string, object?> parameters = new() { ["Content"] = content, ["Refresh"] = refresh };
        root = BeginRenderingComponent(typeof(Root), ParameterView.FromDictionary(parameters));
    });

    public Task ShowAsync<TPage>()
        where TPage : IComponent => ShowAsync(builder =>
    {
        builder.OpenComponent<TPage>(0);
        builder.CloseComponent();
    });

    /// <summary>The page, once no question is open.</summary>
    public Task<string> HtmlAsync() => Eventually.Get(
        () => Dispatcher.InvokeAsync(() => root!.Value.ToHtmlString()), html => !html.Contains("aria-busy", StringComparison.Ordinal));

    protected override Task UpdateDisplayAsync(in RenderBatch renderBatch) => Task.CompletedTask;

    protected override void HandleException(Exception exception) => Failures.Add(exception);

    private sealed class Root : ComponentBase
    {
        [Parameter]
        public RenderFragment? Content { get; set; }

        [Parameter]
        public Action<Action>? Refresh { get; set; }

        protected override void OnInitialized() => Refresh?.Invoke(StateHasChanged);

        protected override void BuildRenderTree(RenderTreeBuilder builder) => builder.AddContent(0, Content);
    }

    private sealed class AddressBar : NavigationManager
    {
        public AddressBar(string url) => Initialize("http://localhost/", $"http://localhost/{url}");

        public List<string> Visited { get; } = [];

        protected override void NavigateToCore(string uri, NavigationOptions options) => Visited.Add(uri);
    }

    private sealed class NoBrowser : IJSRuntime
    {
        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, object?[]? args) => default;

        public ValueTask<TValue> InvokeAsync<TValue>(string identifier, CancellationToken cancellationToken, object?[]? args) => default;
    }
}
