using System.Reflection;
using Microsoft.Playwright;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Tests;

/// <summary>One Chromium for all tests that look at Studio's pages. Without one they are skipped, except in CI.</summary>
public sealed class StudioBrowser : IAsyncLifetime
{
    private IPlaywright? playwright;
    private IBrowser? browser;

    public async ValueTask InitializeAsync()
    {
        if (InstalledBrowser.Find() is not { } program)
        {
            Assert.True(Environment.GetEnvironmentVariable("CI") != "true", InstalledBrowser.Missing);
            return;
        }

        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", Package);
        Environment.SetEnvironmentVariable("PLAYWRIGHT_NODEJS_PATH", Node());
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = program,

            // As root there is no sandbox. The pages are our own.
            Args = OperatingSystem.IsLinux() ? ["--no-sandbox"] : [],
            Timeout = (float)Test.Patience.TotalMilliseconds,
        });
    }

    /// <summary>A new browser session that Studio has let in.</summary>
    internal async Task<StudioPage> LetInAsync(StudioSite site, int width = 1280, bool isDark = false)
    {
        Assert.SkipWhen(browser is null, InstalledBrowser.Missing);
        var context = await browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = 900 },
            ColorScheme = isDark ? ColorScheme.Dark : ColorScheme.Light,
            TimezoneId = "UTC",
        });
        context.SetDefaultTimeout((float)Test.Patience.TotalMilliseconds);
        await context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        return await StudioPage.OpenAsync(context, site);
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null)
        {
            await browser.DisposeAsync();
        }

        playwright?.Dispose();
    }

    // Azurite needs it as well.
    private static string Node() => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "node.exe" : "node"))
        .First(File.Exists);

    private static string Package => typeof(StudioBrowser).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "PlaywrightPackage").Value!;
}

/// <summary>They share one browser, and take turns.</summary>
[CollectionDefinition(Name)]
public sealed class InBrowser : ICollectionFixture<StudioBrowser>
{
    public const string Name = "Studio in a browser";
}
