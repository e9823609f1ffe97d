using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Data.Tables;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tests.Reliability;
using Status = Smtp2GoIngest.Lab.WorkerHost.Rpc.StatusResult.Types.Status;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>The built worker, with its functions called as a Functions host calls them.</summary>
public sealed class WorkerFunctionTests(WorkerFixture worker) : IClassFixture<WorkerFixture>, IDisposable
{
    private const string Secret = "right-horse-battery-staple";

    // What an error page from a proxy or from storage itself may quote.
    private const string Quote = "https://account.example/Smtp2GoEvents(PartitionKey='e1')?sig=x for someone@x.example";

    public static TheoryData<string> ParameterNames =>
        ["request", "endpoint", "message", "timer", "cancellationToken", "CANCELLATIONTOKEN", "receiver", "functionContext", "$return"];

    [Fact]
    public void The_worker_reports_the_functions_that_its_build_has_written_down()
    {
        var written = JsonNode.Parse(File.ReadAllText(Path.Combine(BuiltWorker.Folder, "functions.metadata")))!.AsArray();
        foreach (var binding in written.SelectMany(function => function!["bindings"]!.AsArray()).Select(binding => binding!.AsObject()))
        {
            // The build writes it empty if the worker leaves it out.
            if (binding["properties"] is JsonObject { Count: 0 })
            {
                binding.Remove("properties");
            }
        }

        Assert.Equal(8, worker.Host.Functions.Count);
        Assert.Equal(8, written.Count);
        Assert.All(worker.Host.Functions, function =>
        {
            var other = written.Single(f => (string)f!["name"]! == function.Name)!;
            Assert.Equal((string?)other["scriptFile"], function.ScriptFile);
            Assert.Equal((string?)other["entryPoint"], function.EntryPoint);
            Assert.Equal((string?)other["language"], function.Language);
            var bindings = new JsonArray([.. function.RawBindings.Select(raw => JsonNode.Parse(raw))]);
            Assert.True(JsonNode.DeepEquals(other["bindings"], bindings), $"{other["bindings"]} is not {bindings}");
        });
    }

    [Theory]
    [MemberData(nameof(ParameterNames))]
    public async Task A_field_may_have_the_name_of_a_parameter(string name)
    {
        foreach (var value in (string[])["\"x\"", "1", "true", "{\"a\":1}", "[1]", "null"])
        {
            var body = $$"""{"event":"open","{{name}}":{{value}}}""";

            Assert.Equal(HttpStatusCode.OK, await PostAsync("webhook/smtp2go", body, Secret));
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync("webhook/smtp2go", body, null));
        }
    }

    [Theory]
    [MemberData(nameof(ParameterNames))]
    public async Task A_query_value_may_have_the_name_of_a_parameter(string name)
    {
        foreach (var value in (string[])["x", "", "%7B%7D", "1&" + name + "=2"])
        {
            var path = $"webhook/smtp2go?{name}={value}";

            Assert.Equal(HttpStatusCode.OK, await PostAsync(path, "event=open", Secret));
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(path, "event=open", null));
            using var health = await worker.Host.Client.GetAsync($"health?{name}={value}", Test.Token);
            Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        }
    }

    [Fact]
    public async Task No_secret_reaches_the_log()
    {
        Assert.Equal(HttpStatusCode.OK, await PostAsync($"webhook/smtp2go_{Secret}?p={Secret}", "event=open&rcpt=a@x.example", Secret));

        Assert.DoesNotContain(worker.Host.Log, line => line.Contains("horse", StringComparison.Ordinal));
        Assert.DoesNotContain(worker.Host.Log, line => line.Contains("@x.example", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_is_stored()
    {
        var response = await worker.DeliverAsync("StoreEvents", MessageOf("stored"));

        Assert.Equal(Status.Success, response.Result.Status);
        Assert.Equal("e1", (await worker.EventAsync("stored"))!.PartitionKey);
    }

    [Fact]
    public async Task A_poison_message_is_kept_by_its_own_id_and_time()
    {
        var before = DateTimeOffset.UtcNow.AddMinutes(-1);

        var response = await worker.DeliverAsync("KeepPoison", "not one of ours");

        Assert.Equal(Status.Success, response.Result.Status);
        var row = await new TableClient(worker.Account, DeadLetters.TableName)
            .QueryAsync<TableEntity>("Body eq 'not one of ours'", cancellationToken: Test.Token).SingleAsync(Test.Token);
        Assert.InRange(row.GetDateTimeOffset("ReceivedAt")!.Value, before, DateTimeOffset.UtcNow);
        var id = row.RowKey.Split('_', 2)[1];
        Assert.True(Guid.TryParse(id, out _), $"'{id}' is not a message id.");
    }

    [Theory]
    [InlineData("WatchQueues")]
    [InlineData("PurgeExpired")]
    [InlineData("CountDays")]
    [InlineData("AuditDay")]
    public async Task A_timer_runs(string function) => Assert.Equal(Status.Success, (await worker.Host.TickAsync(function)).Result.Status);

    [Theory]
    [InlineData("StoreEvents")]
    [InlineData("KeepPoison")]
    [InlineData("WatchQueues")]
    [InlineData("PurgeExpired")]
    [InlineData("CountDays")]
    public async Task A_failure_tells_the_host_nothing_of_what_storage_said(string function)
    {
        var before = worker.Host.Log.ToHashSet(StringComparer.Ordinal);
        worker.Proxy.Choose = static request =>
            request.Operation == "CreateTable" ? null : Fault.Garbage(403, "text/html", $"<html>{Quote}</html>");

        var response = function is "StoreEvents" or "KeepPoison"
            ? await worker.DeliverAsync(function, MessageOf($"failing-{function}"))
            : await worker.Host.TickAsync(function);

        Assert.Equal(Status.Failure, response.Result.Status);
        Assert.Contains("status 403", response.Result.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("   at Smtp2GoIngest.", $"{response.Result.Exception.StackTrace}", StringComparison.Ordinal);

        // Where the worker itself listens may be logged after it answers.
        var log = worker.Host.Log.Where(line => !before.Contains(line) && !line.Contains("Now listening on", StringComparison.Ordinal));
        foreach (var text in log.Append($"{response.Result}"))
        {
            Assert.DoesNotContain("http:", text, StringComparison.Ordinal);
            Assert.DoesNotContain("https:", text, StringComparison.Ordinal);
            Assert.DoesNotContain("@x.example", text, StringComparison.Ordinal);
            Assert.DoesNotContain("PartitionKey=", text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("StoreEvents")]
    [InlineData("KeepPoison")]
    public async Task A_message_is_stored_whatever_the_host_cancels(string function)
    {
        var (reached, release) = Hold(StorageService.Table);
        var id = $"cancelled-{function}";

        var call = worker.DeliverAsync(function, MessageOf(id), id);
        await reached;
        await worker.Host.CancelAsync(id);
        release();

        Assert.Equal(Status.Success, (await call).Result.Status);
        Assert.NotNull(await worker.EventAsync(id));
    }

    [Fact]
    public async Task A_timer_ends_when_the_host_cancels_it()
    {
        var (reached, _) = Hold(StorageService.Queue);

        var call = worker.Host.TickAsync("WatchQueues", "cancelled-timer");
        await reached;
        await worker.Host.CancelAsync("cancelled-timer");

        Assert.Equal(Status.Failure, (await call).Result.Status);
    }

    /// <summary>Gives the next tests of the class healthy storage.</summary>
    public void Dispose() => worker.Proxy.Choose = static _ => null;

    private static string MessageOf(string id) => Scenario.MessageOf(Scenario.Entry(id, Scenario.EventOf(id)));

    /// <summary>Holds back every request to a service until told to let them go.</summary>
    private (Task Reached, Action Release) Hold(StorageService service)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        worker.Proxy.Choose = request =>
        {
            if (request.Service != service)
            {
                return null;
            }

            reached.TrySetResult();
            return Fault.Until(release.Task);
        };
        return (reached.Task.WaitAsync(Test.Patience, Test.Token), () => release.TrySetResult());
    }

    private async Task<HttpStatusCode> PostAsync(string path, string body, string? secret)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, body[0] == '{' ? "application/json" : "application/x-www-form-urlencoded"),
        };
        request.Headers.Authorization = secret is null ? null : IngestApp.Basic(IngestApp.Username, secret);
        using var answer = await worker.Host.Client.SendAsync(request, Test.Token);
        return answer.StatusCode;
    }
}
