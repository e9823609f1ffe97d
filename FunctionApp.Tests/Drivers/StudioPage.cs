using System.Collections.Concurrent;
using Deque.AxeCore.Commons;
using Microsoft.Playwright;

namespace Smtp2GoIngest.Tests;

/// <summary>A tab that shows Studio, and what the browser complained about.</summary>
internal sealed class StudioPage : IAsyncDisposable
{
    // Runs before anything of a page does.
    private const string Watch = """
        window.seen = { violations: [], shifts: [] };
        document.addEventListener('securitypolicyviolation', (e) =>
          window.seen.violations.push(`${e.violatedDirective} forbids ${e.blockedURI} in ${e.sourceFile}`));
        new PerformanceObserver((list) => {
          for (const shift of list.getEntries().filter((it) => !it.hadRecentInput)) {
            const moved = shift.sources.map((it) => it.node?.nodeType === 1 ? it.node.outerHTML.slice(0, 80) : it.node?.textContent);
            window.seen.shifts.push({ value: shift.value, moved: moved.join(' | ') });
          }
        }).observe({ type: 'layout-shift', buffered: true });
        """;

    // What no page has, unless something from outside was taken for markup.
    private const string Injected = """
        () => [
          ...(window.pwned === undefined ? [] : [`a script ran: ${window.pwned}`]),
          ...[...document.scripts].filter((it) => !it.src.startsWith(document.baseURI + 'assets/')).map((it) => it.outerHTML),
          ...[...document.querySelectorAll('img, iframe, frame, object, embed, video, audio, style, meta[http-equiv], math, template')]
            .filter((it) => !(it.tagName === 'IMG' && it.src.startsWith(document.baseURI))).map((it) => it.outerHTML),
          ...[...document.querySelectorAll('*')]
            .filter((it) => it.getAttributeNames().some((name) => name.startsWith('on'))).map((it) => it.outerHTML),
          ...[...document.querySelectorAll('[href], [src], [action], [formaction]')]
            .flatMap((it) => [it.href, it.src, it.action].filter((url) => typeof url === 'string' && url !== ''))
            .filter((url) => !url.startsWith(location.origin + '/')),
          ...(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/
            .test(document.documentElement.textContent) ? ['characters that steer'] : []),
        ].map((it) => it.slice(0, 200))
        """;

    // More than any page has, so that a control that comes late is reached as well.
    private const int MostControls = 400;

    // The package's own way opens another tab for each run.
    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private readonly ConcurrentQueue<string> complaints = new();
    private readonly IBrowserContext context;
    private readonly StudioSite site;

    private StudioPage(IBrowserContext context, StudioSite site, IPage tab)
    {
        (this.context, this.site, Tab) = (context, site, tab);
        tab.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning" && !IsExpected(message.Text))
            {
                complaints.Enqueue($"{message.Type}: {message.Text}");
            }
        };
        tab.PageError += (_, error) => complaints.Enqueue($"uncaught: {error}");
        tab.Dialog += (_, dialog) => complaints.Enqueue($"dialog: {dialog.Message}");
        tab.RequestFailed += (_, request) => complaints.Enqueue($"failed: {request.Method} {request.Url} {request.Failure}");
        tab.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(site.Base.ToString(), StringComparison.Ordinal))
            {
                complaints.Enqueue($"asked elsewhere: {request.Url}");
            }
        };
    }

    public IPage Tab { get; }

    /// <summary>Console errors that a test causes.</summary>
    public Func<string, bool> IsExpected { get; set; } = static _ => false;

    /// <summary>All since the last page was opened.</summary>
    public async Task<IReadOnlyList<string>> ComplaintsAsync() =>
        [.. complaints, .. await Tab.EvaluateAsync<string[]>("() => window.seen.violations")];

    /// <summary>Markup and scripts that came in with the data.</summary>
    public Task<string[]> InjectedAsync() => Tab.EvaluateAsync<string[]>(Injected);

    public Task<bool> ScrollsSidewaysAsync() =>
        Tab.EvaluateAsync<bool>("() => document.documentElement.scrollWidth > document.documentElement.clientWidth");

    /// <summary>How far things jumped while the page came up, as web.dev counts it, and what did.</summary>
    public async Task<(double Sum, string What)> LayoutShiftAsync()
    {
        var shifts = await Tab.EvaluateAsync<Shift[]>("() => window.seen.shifts");
        return (shifts.Sum(shift => shift.Value), string.Join(Environment.NewLine, shifts.Select(it => $"{it.Value:0.000} {it.Moved}")));
    }

    /// <summary>All that is wrong with the page as it is shown now.</summary>
    /// <param name="mostLayoutShift">As web.dev counts it.</param>
    public async Task<IReadOnlyList<string>> ProblemsAsync(double mostLayoutShift)
    {
        var (shift, moved) = await LayoutShiftAsync();
        return
        [
            .. await ComplaintsAsync(),
            .. (await InjectedAsync()).Select(it => $"injected: {it}"),
            .. await ScrollsSidewaysAsync() ? ["scrolls sideways"] : (string[])[],
            .. shift >= mostLayoutShift ? [$"jumps by {shift:0.000}: {moved}"] : (string[])[],
            .. await AxeAsync(),
        ];
    }

    /// <summary>Controls that Tab does not come to, however often it is pressed.</summary>
    public async Task<string[]> UnreachedByTabAsync()
    {
        await Tab.EvaluateAsync("""
            () => {
              const shown = (it) => it.checkVisibility({ visibilityProperty: true }) && !it.disabled && it.tabIndex >= 0;
              const controls = 'a[href], area[href], button, input, select, textarea, summary, [tabindex], [role=button]';
              window.unreached = new Set([...document.querySelectorAll(controls)].filter(shown));
              window.unreached.delete(document.activeElement);
              document.addEventListener('focusin', (e) => window.unreached.delete(e.target));
            }
            """);
        for (var i = 0; i < MostControls && await Tab.EvaluateAsync<int>("() => window.unreached.size") > 0; i++)
        {
            await Tab.Keyboard.PressAsync("Tab");
        }

        return await Tab.EvaluateAsync<string[]>("""
            () => [...window.unreached].map((it) =>
              `${it.outerHTML.slice(0, 200)}, not after ${document.activeElement.outerHTML.slice(0, 200)}`)
            """);
    }

    public Task DarkenAsync(bool isDark) => Tab.EmulateMediaAsync(new() { ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light });

    /// <summary>Keeps a picture of the whole page for people to look at, if <c>SCREENSHOTS</c> is set.</summary>
    public async Task ScreenshotAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("SCREENSHOTS") is { Length: > 0 })
        {
            await Tab.ScreenshotAsync(new()
            {
                Path = Path.Combine(Repository.Root, "artifacts", "studio", $"{name}.png"),
                FullPage = true,
            });
        }
    }

    /// <summary>What axe finds, each with the elements that have it.</summary>
    /// <param name="rules">Only these; all by default.</param>
    public async Task<IReadOnlyList<string>> AxeAsync(params string[] rules)
    {
        if (!await Tab.EvaluateAsync<bool>("() => 'axe' in window"))
        {
            await Tab.EvaluateAsync(Axe);
        }

        return await Tab.EvaluateAsync<string[]>(
            """
            async (rules) => {
              const options = { resultTypes: ['violations'], ...(rules.length ? { runOnly: { type: 'rule', values: rules } } : {}) };
              const elements = (it) => it.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(' | ');
              return (await axe.run(options)).violations.map((it) => `${it.id}: ${it.help}: ${elements(it)}`);
            }
            """,
            rules);
    }

    public static async Task<StudioPage> OpenAsync(IBrowserContext context, StudioSite site)
    {
        await context.AddInitScriptAsync(Watch);
        var page = new StudioPage(context, site, await context.NewPageAsync());
        await page.Tab.GotoAsync(site.NewLink("not-found").ToString());
        return page;
    }

    /// <summary>Goes to a page, and waits until all its questions are answered.</summary>
    /// <param name="page">Relative to the base.</param>
    public async Task GoAsync(string page)
    {
        complaints.Clear();
        await Tab.GotoAsync(new Uri(site.Base + page).ToString());
        await AnsweredAsync();
    }

    /// <summary>Waits until nothing is grey any more and the charts are drawn.</summary>
    public async Task AnsweredAsync() => await Tab.WaitForFunctionAsync("""
        () => !document.querySelector('[aria-busy=true], main .bone') && document.fonts.status === 'loaded'
          && [...document.querySelectorAll('.drawing')].every((it) => it.querySelector('svg path'))
        """);

    public Task<string> TextAsync(string selector) => Tab.Locator(selector).First.InnerTextAsync();

    public ValueTask DisposeAsync() => context.DisposeAsync();

    private sealed class Shift
    {
        public double Value { get; set; }

        public string? Moved { get; set; }
    }
}
