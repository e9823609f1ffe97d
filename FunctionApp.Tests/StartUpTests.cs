using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests;

/// <summary>The app as a process, in either host: a wrong setting ends it at once.</summary>
public sealed class StartUpTests
{
    private static readonly string[] Good =
        ["EventStorage=UseDevelopmentStorage=true", "Webhook__Username=u", "Webhook__Password=right-horse-battery-staple"];

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
    [InlineData(
        "Webhook__EnqueueTimeout",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__EnqueueTimeout=4s")]
    [InlineData(
        "Webhook__Password",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple\n")]
    [InlineData(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "APPLICATIONINSIGHTS_CONNECTION_STRING=right-horse")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "OTEL_EXPORTER_OTLP_HEADERS=right-horse")]
    [InlineData(
        "basic, bearer, query and path",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__Accept=header")]
    [InlineData(
        "Logging__LogLevel__",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Logging__LogLevel__Default=loud")]
    public async Task A_wrong_setting_ends_the_start_and_is_named(string named, params string[] settings) =>
        await EndsAsync(named, ["--urls", "http://127.0.0.1:0"], settings);

    [Fact]
    public async Task A_url_that_the_self_host_cannot_listen_on_ends_the_start_and_is_named()
    {
        await EndsAsync("'7071' (--urls", ["--urls", "7071"], Good);
        await EndsAsync("'https://*:7071' (--urls", [], [.. Good, "ASPNETCORE_URLS=https://*:7071"]);
        await EndsAsync("'' (--urls", [], [.. Good, "Kestrel__Endpoints__Http__Url="]);
        await EndsAsync("http://192.0.2.1:7071", ["--urls", "http://192.0.2.1:7071"], Good);
    }

    [Fact]
    public async Task A_port_in_use_ends_the_start_in_one_line_that_names_it()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();

        var line = await EndsAsync("--urls", ["--urls", $"http://{other.LocalEndpoint}"], Good);

        Assert.Contains($"http://{other.LocalEndpoint}", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_samples_password_is_refused_where_others_can_reach_the_self_host() =>
        await EndsAsync(
            "Webhook__Password is the sample's",
            ["--urls", "http://*:0"],
            "EventStorage=UseDevelopmentStorage=true",
            "Webhook__Username=u",
            $"Webhook__Password={WebhookOptions.SamplePassword}");

    [Fact]
    public async Task The_app_warns_once_that_it_lets_anybody_in()
    {
        using var emitted = new Emitted();
        await using var app = SelfHostedApp.Build(
            [],
            [new("EventStorage", "UseDevelopmentStorage=true"), new("Webhook:AllowAnonymous", "true"), new("urls", "http://127.0.0.1:0")],
            builder => builder.Logging.ClearProviders().AddProvider(emitted));

        app.Services.GetRequiredService<IStartupValidator>().Validate();
        Assert.True(app.Services.GetRequiredService<IOptions<WebhookOptions>>().Value.AllowAnonymous);

        Assert.Single(emitted.Lines, line => line.Contains("Webhook__AllowAnonymous is true", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_malformed_settings_file_ends_the_start_and_is_named()
    {
        // Beside a copy of the app: otherwise, other tests use the same folder.
        var folder = Directory.CreateTempSubdirectory("smtp2go-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory))
            {
                File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
            }

            await File.WriteAllTextAsync(
                Path.Combine(folder, "local.settings.json"),
                """{ "Values": { "Webhook__Password": "right-horse-battery-staple" "Webhook__Username": "u" } }""",
                Test.Token);

            await EndsAsync("local.settings.json", ["--urls", "http://127.0.0.1:0"], folder, Good);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
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
    [InlineData(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "APPLICATIONINSIGHTS_CONNECTION_STRING=right-horse")]
    [InlineData(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "OTEL_EXPORTER_OTLP_HEADERS=right-horse")]
    [InlineData(
        "basic, bearer, query and path",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Webhook__Accept=header")]
    [InlineData(
        "Logging__LogLevel__",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        "Webhook__Password=right-horse-battery-staple",
        "Logging__LogLevel__Default=loud")]
    [InlineData(
        "Webhook__Password is the sample's",
        "EventStorage=UseDevelopmentStorage=true",
        "Webhook__Username=u",
        $"Webhook__Password={WebhookOptions.SamplePassword}",
        "AZURE_FUNCTIONS_ENVIRONMENT=Production")]
    public async Task A_wrong_setting_ends_the_worker_and_is_named(string named, params string[] settings)
    {
        using var worker = BuiltWorker.Start(new Uri("http://127.0.0.1:1/"), Parse(settings));

        Assert.Equal(1, await worker.ExitedAsync());
        Assert.Contains(named, Assert.Single(worker.Output), StringComparison.Ordinal);
        Assert.DoesNotContain("horse", Assert.Single(worker.Output), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_samples_password_starts_the_worker_under_func()
    {
        await using var host = await BuiltWorker.StartAsync(
            "UseDevelopmentStorage=true",
            new Dictionary<string, string?>
            {
                ["Webhook:Password"] = WebhookOptions.SamplePassword,
                ["AZURE_FUNCTIONS_ENVIRONMENT"] = "Development",
            });

        Assert.Equal("Healthy", await host.Client.GetStringAsync("health", Test.Token));
    }

    private static Task<string> EndsAsync(string named, string[] arguments, params string[] settings) =>
        EndsAsync(named, arguments, AppContext.BaseDirectory, settings);

    /// <summary>Starts the self-host, which must end with one line that says what is wrong; returns that line.</summary>
    private static async Task<string> EndsAsync(string named, string[] arguments, string folder, string[] settings)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, "SelfHost.dll"), .. arguments])
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

        // Whatever is in a developer's own local.settings.json.
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
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(timeout.Token);
            var errors = await process.StandardError.ReadToEndAsync(timeout.Token);
            await process.WaitForExitAsync(timeout.Token);

            Assert.Equal(1, process.ExitCode);
            Assert.Contains(named, errors, StringComparison.Ordinal);
            Assert.DoesNotContain("horse", errors + await output, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", errors + await output, StringComparison.Ordinal);
            return Assert.Single(errors.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            process.Kill();
        }
    }

    private static Dictionary<string, string?> Parse(string[] settings) =>
        settings.Select(setting => setting.Split('=', 2)).ToDictionary(parts => parts[0], parts => (string?)parts[1]);
}
