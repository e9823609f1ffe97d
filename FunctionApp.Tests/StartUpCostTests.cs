using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Queues;

namespace Smtp2GoIngest.Tests;

/// <summary>What keeps the start short. <c>perf startup</c> measures it.</summary>
public sealed class StartUpCostTests
{
    private const string Key = "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";
    private const string Usual = $"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};EndpointSuffix=core.windows.net";

    /// <summary>Flex Consumption is Linux on x64; the container is Linux on whatever publishes it.</summary>
    [Theory]
    [InlineData("FunctionApp", "linux-x64")]
    [InlineData("SelfHost", "linux-")]
    public async Task What_is_published_is_compiled_for_where_it_runs(string project, string runtime)
    {
        Assert.SkipUnless(project == "FunctionApp" || OperatingSystem.IsLinux(), "A self-host for another system is not compiled ahead.");
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

    /// <summary>The usual connection strings are judged without making clients, which must not change what is accepted.</summary>
    [Theory]
    [InlineData(Usual)]
    [InlineData($"{Usual};")]
    [InlineData($"{Usual};;")]
    [InlineData($";{Usual}")]
    [InlineData($"{Usual};BlobEndpoint=https://b.example/;QueueEndpoint=https://q.example;TableEndpoint=https://t.example")]
    [InlineData($"{Usual};QueueEndpoint=https://q.example/ ")]
    [InlineData($"{Usual};QueueEndpoint=https://q.example/a b")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};TableEndpoint=https://t.example")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key}\n;EndpointSuffix=core.windows.net")]
    [InlineData($"DefaultEndpointsProtocol=https;AccountName=mail1;{Key};EndpointSuffix= core.windows.net")]
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
