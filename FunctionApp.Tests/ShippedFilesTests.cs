using System.Reflection;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.FunctionApp;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests;

/// <summary>The files that are shipped beside the code agree with the code.</summary>
public sealed class ShippedFilesTests
{
    private static readonly JsonNode HostJson = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json")))!;

    private static readonly Dictionary<string, string> Sample = JsonNode.Parse(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "local.settings.sample.json")))!["Values"]!
        .AsObject()
        .ToDictionary(p => p.Key, p => p.Value!.GetValue<string>());

    [Fact]
    public void The_host_decodes_messages_as_the_app_encodes_them()
    {
        Assert.Equal(QueueMessageEncoding.None, WebhookQueue.MessageEncoding);
        Assert.Equal("none", HostJson["extensions"]!["queues"]!["messageEncoding"]!.GetValue<string>());
    }

    /// <summary>With one more source, a package of that name that is somebody else's could be installed.</summary>
    [Fact]
    public void The_tool_is_installed_only_from_the_folder_it_was_packed_into()
    {
        string[] installs =
        [
            .. ((string[])["README.md", "docs/querying.md", "docs/operations.md", ".ci/run"])
                .SelectMany(file => File.ReadLines(Path.Combine(Repository.Root, file)))
                .Where(line => line.Contains("dotnet tool install", StringComparison.Ordinal)),
        ];

        Assert.True(installs.Length >= 3);
        Assert.All(installs, line => Assert.Contains(" --source ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void The_host_puts_nothing_before_the_routes() =>
        Assert.Equal(string.Empty, HostJson["extensions"]!["http"]!["routePrefix"]!.GetValue<string>());

    [Fact]
    public void The_host_leaves_telemetry_to_the_workers_own_exporter() =>
        Assert.Equal("OpenTelemetry", HostJson["telemetryMode"]!.GetValue<string>());

    [Fact]
    public void The_pump_takes_its_numbers_from_the_host_file()
    {
        var queues = HostJson["extensions"]!["queues"]!;
        var options = QueueTriggerOptions.FromHostJson();

        Assert.Equal(queues["batchSize"]!.GetValue<int>(), options.BatchSize);
        Assert.Equal(queues["newBatchThreshold"]!.GetValue<int>(), options.NewBatchThreshold);
        Assert.Equal(queues["maxDequeueCount"]!.GetValue<int>(), options.MaxDequeueCount);
        Assert.Equal(TimeSpan.FromSeconds(30), options.VisibilityTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), options.MaxPollingInterval);
        Assert.InRange(options.BatchSize, 1, 32);
        Assert.True(options.MaxDequeueCount * options.VisibilityTimeout >= TimeSpan.FromDays(1), "A day's outage poisons nothing.");
    }

    [Fact]
    public async Task Self_hosting_uses_the_hosts_numbers_and_listens_only_to_this_machine()
    {
        await using var app = SelfHostedApp.Build([], []);

        Assert.Equivalent(QueueTriggerOptions.FromHostJson(), app.Services.GetRequiredService<QueueTriggerOptions>());
        Assert.True(new Uri(app.Configuration["urls"]!).IsLoopback);
    }

    [Theory]
    [InlineData("WEBSITE_INSTANCE_ID", true)]
    [InlineData("WEBSITE_SKU", true)]
    [InlineData("WEBSITE_POD_NAME", true)]
    [InlineData("CONTAINER_NAME", false)]
    public async Task Azure_is_recognised_by_its_environment(string variable, bool expected)
    {
        await using var app = SelfHostedApp.Build([], [new(variable, "x")]);

        Assert.Equal(expected, app.Services.GetRequiredService<AppEnvironment>().IsAzure);
    }

    [Fact]
    public void The_sample_settings_name_settings_that_exist()
    {
        string[] host = ["FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage", StorageOptions.Connection];
        var webhook = typeof(WebhookOptions).GetProperties().Select(p => $"{WebhookOptions.Section}__{p.Name}");

        Assert.All(Sample.Keys, name => Assert.Contains(name, host.Concat(webhook)));
        Assert.Equal(WebhookOptions.SamplePassword, Sample["Webhook__Password"]);
        Assert.Equal("dotnet-isolated", Sample["FUNCTIONS_WORKER_RUNTIME"]);
    }

    [Fact]
    public void The_sample_settings_start_the_app()
    {
        var webhook = new ConfigurationBuilder()
            .AddInMemoryCollection(Sample.ToDictionary(p => p.Key.Replace("__", ":", StringComparison.Ordinal), p => (string?)p.Value))
            .Build()
            .GetSection(WebhookOptions.Section)
            .Get<WebhookOptions>()!;

        Assert.True(new WebhookOptionsValidator(new AppEnvironment(IsAzure: false, IsPublic: false)).Validate(null, webhook).Succeeded);
        Assert.True(
            new StorageOptionsValidator()
                .Validate(null, new StorageOptions { ConnectionString = Sample[StorageOptions.Connection] })
                .Succeeded);
    }

    [Fact]
    public void No_setting_shadows_the_connection() => Assert.DoesNotContain($"AzureWebJobs{StorageOptions.Connection}", Sample.Keys);

    [Fact]
    public void Every_function_has_the_trigger_that_both_hosts_give_it()
    {
        Assert.Equal(
            new Dictionary<string, string>
            {
                ["ReceiveWebhook"] = "http Anonymous [] webhook/{endpoint}",
                ["Health"] = "http Anonymous [] health",
                ["StoreEvents"] = "queue smtp2go-webhooks EventStorage",
                ["KeepPoison"] = "queue smtp2go-webhooks-poison EventStorage",
                ["WatchQueues"] = "timer 0 * * * * *",
                ["PurgeExpired"] = "timer 0 30 3 * * *",
                ["CountDays"] = "timer 0 5 * * * *",
                ["AuditDay"] = "timer 0 15 4 * * *",
            },
            FunctionMethods.ToDictionary(pair => pair.Key, pair => Describe(pair.Value.GetParameters()[0])));

        static string Describe(ParameterInfo parameter) =>
            parameter.GetCustomAttribute<HttpTriggerAttribute>() is { } http
                ? $"http {http.AuthLevel} [{string.Join(',', http.Methods ?? [])}] {http.Route}"
            : parameter.GetCustomAttribute<QueueTriggerAttribute>() is { } queue ? $"queue {queue.QueueName} {queue.Connection}"
            : parameter.GetCustomAttribute<TimerTriggerAttribute>() is { } timer ? $"timer {timer.Schedule}"
            : "none";
    }

    /// <summary>The host fills a parameter of any other name from a field or a query value of that name.</summary>
    [Fact]
    public void No_function_has_a_parameter_that_a_caller_could_fill() => Assert.Equal(
        new Dictionary<string, string>
        {
            ["ReceiveWebhook"] = "HttpRequest request, String endpoint",
            ["Health"] = "HttpRequest request",
            ["StoreEvents"] = "QueueMessage message",
            ["KeepPoison"] = "QueueMessage message",
            ["WatchQueues"] = "TimerInfo timer, CancellationToken cancellationToken",
            ["PurgeExpired"] = "TimerInfo timer, CancellationToken cancellationToken",
            ["CountDays"] = "TimerInfo timer, CancellationToken cancellationToken",
            ["AuditDay"] = "TimerInfo timer, CancellationToken cancellationToken",
        },
        FunctionMethods.ToDictionary(
            pair => pair.Key,
            pair => string.Join(", ", pair.Value.GetParameters().Select(parameter => $"{parameter.ParameterType.Name} {parameter.Name}"))));

    [Fact]
    public void The_host_reads_the_same_from_the_files_that_are_deployed()
    {
        var functions = JsonNode.Parse(File.ReadAllText(Path.Combine(BuiltWorker.Folder, "functions.metadata")))!.AsArray();

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["ReceiveWebhook"] = "httpTrigger request In Anonymous webhook/{endpoint}; http $return Out",
                ["Health"] = "httpTrigger request In Anonymous health; http $return Out",
                ["StoreEvents"] = "queueTrigger message In smtp2go-webhooks EventStorage",
                ["KeepPoison"] = "queueTrigger message In smtp2go-webhooks-poison EventStorage",
                ["WatchQueues"] = "timerTrigger timer In 0 * * * * *",
                ["PurgeExpired"] = "timerTrigger timer In 0 30 3 * * *",
                ["CountDays"] = "timerTrigger timer In 0 5 * * * *",
                ["AuditDay"] = "timerTrigger timer In 0 15 4 * * *",
            },
            functions.ToDictionary(
                function => (string)function!["name"]!,
                function => string.Join("; ", function!["bindings"]!.AsArray().Select(binding => Describe(binding!)))));

        static string Describe(JsonNode binding) => string.Join(' ', ((string[])
            ["type", "name", "direction", "authLevel", "methods", "route", "queueName", "connection", "schedule", "runOnStartup"])
            .Select(name => binding[name])
            .OfType<JsonNode>());
    }

    private static IEnumerable<KeyValuePair<string, MethodInfo>> FunctionMethods => typeof(Functions).GetMethods()
        .Where(method => method.GetCustomAttribute<FunctionAttribute>() is not null)
        .Select(method => KeyValuePair.Create(method.GetCustomAttribute<FunctionAttribute>()!.Name, method));
}
