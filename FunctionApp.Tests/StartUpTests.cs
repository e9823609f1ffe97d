using System.Diagnostics;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests;

/// <summary>The app as a process, in either host: what is wrong with its settings ends it at once.</summary>
public sealed class StartUpTests
{
    [Theory]
    [InlineData("Webhook__Password", "EventStorage=UseDevelopmentStorage=true", "Webhook__Username=u")]
    [InlineData("Webhook__Password", "EventStorage=UseDevelopmentStorage=true", "Webhook__Username=u", "Webhook__Password=short")]
    [InlineData(
        "Webhook__AllowAnonymous",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__AllowAnonymous=true")]
    [InlineData(
        "Webhook__Accept",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__Accept=header")]
    [InlineData(
        "Webhook__MaxBodyBytes",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__MaxBodyBytes=1MB")]
    [InlineData("EventStorage", "Webhook__Username=u", "Webhook__Password=right-horse-battery-staple")]
    [InlineData("EventStorage", "Webhook__Username=u", "Webhook__Password=right-horse-battery-staple", "EventStorage=right-horse")]
    [InlineData(
        "EventStorage__blobServiceUri",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "EventStorage__queueServiceUri=https://q.example/",
        "EventStorage__tableServiceUri=https://t.example/")]
    [InlineData(
        "EventStorage__queueServiceUri",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "EventStorage__queueServiceUri=http://q.example/",
        "EventStorage__tableServiceUri=https://t.example/",
        "EventStorage__blobServiceUri=https://b.example/")]
    [InlineData(
        "EventStorage__blobServiceUri",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "EventStorage__queueServiceUri=https://q.example/",
        "EventStorage__tableServiceUri=https://t.example/",
        "EventStorage__blobServiceUri=foo")]
    [InlineData(
        "EventStorage__credential",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "EventStorage__queueServiceUri=https://q.example/",
        "EventStorage__tableServiceUri=https://t.example/",
        "EventStorage__blobServiceUri=https://b.example/",
        "EventStorage__credential=managedidentiy")]
    public async Task A_wrong_setting_ends_the_start_and_is_named(string named, params string[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "SelfHost.dll"), "--urls", "http://127.0.0.1:0"])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (var name in typeof(WebhookOptions)
                .GetProperties()
                .Select(p => $"{WebhookOptions.Section}__{p.Name}")
                .Append(StorageOptions.Connection))
        {
            start.Environment.Remove(name);
        }

        // Whatever a developer's own local.settings.json holds.
        foreach (var name in new[] { "Webhook__Username", "Webhook__Password", "EventStorage" })
        {
            start.Environment[name] = string.Empty;
        }

        foreach (var (name, value) in Parse(settings))
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(Test.Token);
        timeout.CancelAfter(TimeSpan.FromMinutes(1));
        var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
        var errors = await process.StandardError.ReadToEndAsync(timeout.Token);
        await process.WaitForExitAsync(timeout.Token);

        Assert.Equal(1, process.ExitCode);
        Assert.Contains(named, errors, StringComparison.Ordinal);
        Assert.DoesNotContain("horse", errors + await output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", errors, StringComparison.Ordinal);
    }

    /// <summary>The Functions host shows the last three lines of a worker that has ended.</summary>
    [Theory]
    [InlineData("Webhook__Password", "EventStorage=UseDevelopmentStorage=true", "Webhook__Username=u", "Webhook__Password=short-horse")]
    [InlineData(
        "Webhook__MaxBodyBytes",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__MaxBodyBytes=1MB")]
    [InlineData("EventStorage", "Webhook__Username=u", "Webhook__Password=right-horse-battery-staple", "EventStorage=right-horse")]
    public async Task A_wrong_setting_ends_the_worker_and_is_named(string named, params string[] settings)
    {
        using var worker = FunctionsHostWorker.Start(new Uri("http://127.0.0.1:1/"), Parse(settings));

        Assert.Equal(1, await worker.ExitedAsync());
        Assert.Contains(named, Assert.Single(worker.Output), StringComparison.Ordinal);
        Assert.DoesNotContain("horse", Assert.Single(worker.Output), StringComparison.Ordinal);
    }

    private static Dictionary<string, string?> Parse(string[] settings) =>
        settings.Select(setting => setting.Split('=', 2)).ToDictionary(parts => parts[0], parts => (string?)parts[1]);
}
