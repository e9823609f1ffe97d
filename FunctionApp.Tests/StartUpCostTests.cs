using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests;

/// <summary>What keeps the start short. <c>perf startup</c> measures it.</summary>
public sealed class StartUpCostTests
{
    private const string Key = "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string Usual = $"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};EndpointSuffix=core.windows.net";

    private const string Nowhere = $"{Usual};QueueEndpoint=http://127.0.0.1:1/mail1";

    /// <summary>Flex Consumption is Linux on x64; the container is Linux on whatever publishes it.</summary>
    [Theory]
    [InlineData("FunctionApp", "linux-x64")]
    [InlineData("SelfHost", "linux-")]
    public async Task What_is_published_is_compiled_for_where_it_runs(string project, string runtime)
    {
        var start = new ProcessStartInfo("dotnet",
        [
            "msbuild", Path.Combine(Repository.Root, project), "-p:Configuration=Release", "-p:_IsPublishing=true",
            "-getProperty:PublishReadyToRun,RuntimeIdentifier,SelfContained",
        ])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var properties = JsonNode.Parse(await process.StandardOutput.ReadToEndAsync(Test.Token))!["Properties"]!;

        Assert.Equal("true", (string)properties["PublishReadyToRun"]!);
        Assert.Equal("false", (string)properties["SelfContained"]!);
        Assert.StartsWith(runtime, (string)properties["RuntimeIdentifier"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void The_empty_worker_has_the_same_packages() => Assert.Equal(
        PackagesOf("FunctionApp/FunctionApp.csproj").Concat(PackagesOf("Ingest/Ingest.csproj")).Order(StringComparer.Ordinal),
        PackagesOf("perf/EmptyWorker/EmptyWorker.csproj").Order(StringComparer.Ordinal));

    [Fact]
    public async Task The_self_host_listens_before_it_makes_clients_and_makes_only_those_that_it_needs()
    {
        var made = new List<string>();
        var queues = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var app = SelfHostedApp.Build(
            [],
            [
                new("EventStorage", Nowhere),
                new("Webhook:Username", "u"),
                new("Webhook:Password", "right-horse-battery-staple"),
                new("urls", "http://127.0.0.1:0"),
            ],
            builder =>
            {
                builder.Logging.ClearProviders();
                builder.Services.Replace(ServiceDescriptor.Singleton(s =>
                {
                    queues.TrySetResult(s.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.IsCancellationRequested);
                    return new QueueServiceClient(Nowhere);
                }));
                Watch<TableServiceClient>(builder.Services);
                Watch<BlobServiceClient>(builder.Services);
                Watch<Smtp2GoIngest.Reconciling.Smtp2GoClient>(builder.Services);
            });

        Assert.False(SettingProblems.Report(app.Services));
        await app.StartAsync(Test.Token);
        using var client = new HttpClient();
        Assert.Equal("Healthy", await client.GetStringAsync(new Uri(new Uri(app.Urls.Single()), "health"), Test.Token));
        Assert.True(await queues.Task.WaitAsync(TimeSpan.FromMinutes(1), Test.Token));
        Assert.Empty(made);

        void Watch<T>(IServiceCollection services)
            where T : class => services.Replace(ServiceDescriptor.Singleton<T>(_ =>
        {
            made.Add(typeof(T).Name);
            throw new InvalidOperationException();
        }));
    }

    /// <summary>The usual connection strings are judged without making clients, which must not change what is accepted.</summary>
    [Theory]
    [InlineData(Usual)]
    [InlineData($"{Usual};")]
    [InlineData($"{Usual};;")]
    [InlineData($";{Usual}")]
    [InlineData($"{Usual};BlobEndpoint=https://b.example/;QueueEndpoint=https://q.example;TableEndpoint=https://t.example")]
    [InlineData($"DefaultEndpointsProtocol=http;AccountName=mail1;{Key};BlobEndpoint=http://127.0.0.1:1/mail1")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key}")]
    [InlineData($"defaultendpointsprotocol=https;accountname=mail1;{Key}")]
    [InlineData($"AccountName=mail1;{Key}")]
    [InlineData($"DefaultEndpointsProtocol=ftp;AccountName=mail1;{Key}")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=;{Key}")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail 1;{Key}")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key}=")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};AccountName=mail2")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};EndpointSuffix=")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};QueueEndpoint=q")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};Unknown=1")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=mail1;AccountKey=")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=mail1;AccountKey=not base 64")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=mail1")]
    [InlineData("UseDevelopmentStorage=true")]
    [InlineData("right-horse")]
    public void A_connection_string_is_valid_if_every_client_takes_it(string text)
    {
        var problem = Record.Exception(() =>
        {
            _ = new QueueServiceClient(text);
            _ = new BlobServiceClient(text);
            _ = new TableServiceClient(text);
        });

        Assert.Equal(problem is null, new StorageOptionsValidator().Validate(null, new() { ConnectionString = text }).Succeeded);
    }

    private static IEnumerable<string> PackagesOf(string project) => XElement.Load(Path.Combine(Repository.Root, project))
        .Descendants("PackageReference")
        .Select(reference => (string)reference.Attribute("Include")!);
}
