using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>One storage call fails, for each call and in each way in which it can fail. The result is always the same.</summary>
public sealed partial class StepFaultTests(AzuriteFixture azurite)
{
    private const int MaxRuns = 8;

    // What a slow machine handles must not come again meanwhile: that would add steps.
    private static readonly TimeSpan LongLease = TimeSpan.FromMinutes(1);

    // A message that cannot be deleted comes again after this.
    private static readonly TimeSpan ShortLease = TimeSpan.FromSeconds(5);

    public enum Failure
    {
        /// <summary>Throttling, a failing service, or a connection that breaks before the request takes effect, in turn.</summary>
        Unavailable,

        /// <summary>409: it is being deleted, or a row is said to exist that does not.</summary>
        Conflict,

        /// <summary>The request takes effect and the connection breaks before the answer, at every try.</summary>
        DroppedAfter,

        /// <summary>The same, but only at the first try: the storage client's own next try finds what the first has done.</summary>
        DroppedAfterOnce,
    }

    public static TheoryData<Failure> Failures => [.. Enum.GetValues<Failure>()];

    private static Scenario All => Scenario.All[Scenario.Mixed] with
    {
        Posts =
        [
            $"event=processed&id=3&email_id=e3&recipients=a@x.example,b@x.example&message={new string('m', 50_000)}",
            "event=bounce&bounce=hard&id=4&email_id=e4&rcpt=a@x.example",
        ],
        Events = ["1", "2", "3", "4"],
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Whichever_step_fails_everything_is_stored_once(Failure failure)
    {
        var steps = await RunAsync(failure, null, LongLease);
        Assert.InRange(steps.Count, 10, 30);
        await Parallel.ForEachAsync(
            steps.SelectMany(step => Enumerable.Range(1, step.Value).Select(time => (step.Key, Time: time))),
            new ParallelOptions { MaxDegreeOfParallelism = MaxRuns, CancellationToken = Test.Token },
            async (step, _) =>
            {
                Dictionary<string, int> reached = [];
                var lease = step.Key.StartsWith("DELETE", StringComparison.Ordinal) ? ShortLease : LongLease;
                var wrong = await Record.ExceptionAsync(async () => reached = await RunAsync(failure, step, lease));
                Assert.True(wrong is null, $"{step}: {wrong}");

                // How often a step happens depends on timing: of several parallel writes, all may find a table missing, or only the first.
                Assert.True(reached.GetValueOrDefault(step.Key) >= step.Time || step.Time > 1, $"{step} was never reached.");
            });
    }

    /// <summary>Makes one step fail.</summary>
    /// <returns>How many times each step was taken.</returns>
    private async Task<Dictionary<string, int>> RunAsync(Failure failure, (string Step, int Time)? failing, TimeSpan lease)
    {
        var account = azurite.NewAccount();
        await All.EnqueueAsync(account);
        var steps = new Dictionary<string, int>(StringComparer.Ordinal);
        var calls = new Dictionary<string, (string Step, int Time)>(StringComparer.Ordinal);
        await using var app = await IngestApp.StartAsync(account, configure: services =>
        {
            StorageWire.Between(account, MeetAsync)(services);
            IngestApp.UseLease(services, lease);
        });

        await All.PostAsync(app);
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, All.Events, All.DeadLetters);
        return steps;

        async Task<HttpResponseMessage> MeetAsync(
            HttpRequestMessage request, Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
        {
            // How many lease renewals there are depends on timing.
            if (StorageWire.IsPoll(request) || StorageWire.IsRenewal(request))
            {
                return await send();
            }

            // Each try of one call has the same id.
            var id = request.Headers.GetValues("x-ms-client-request-id").Single();
            var name = await StepOf(request);
            (string, int) step;
            bool isAgain;
            lock (steps)
            {
                isAgain = calls.ContainsKey(id);
                step = isAgain ? calls[id] : calls[id] = (name, steps[name] = steps.GetValueOrDefault(name) + 1);
            }

            return step != failing ? await send() : failure switch
            {
                Failure.Unavailable => (step.Item1.Length + step.Item2) % 4 is var way and > 0
                    ? Answer(request, ((int[])[500, 503, 429])[way - 1], "ServerBusy")
                    : throw new HttpRequestException("Dropped before."),
                Failure.Conflict => Answer(request, 409, ConflictOf(request)),
                Failure.DroppedAfterOnce when isAgain => await send(),
                _ => throw await DroppedAfterAsync(send),
            };
        }
    }

    // The operation, without the keys, ids and names in its address.
    private static async Task<string> StepOf(HttpRequestMessage request)
    {
        var isBatch = request.RequestUri!.AbsolutePath.EndsWith("/$batch", StringComparison.Ordinal);
        var path = isBatch ? await request.Content!.ReadAsStringAsync() : request.RequestUri.AbsolutePath;
        var called = Called().Match(path);
        return $"{request.Method} {(isBatch ? "batch " : string.Empty)}{called.Value} {Comp().Match(request.RequestUri.Query).Value}";
    }

    [GeneratedRegex(
        "Tables|Smtp2Go[A-Za-z]+|smtp2go-webhooks(/messages)?(/|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Called();

    [GeneratedRegex("(comp|restype)=[a-z]+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Comp();

    private static async Task<HttpRequestException> DroppedAfterAsync(Func<Task<HttpResponseMessage>> send)
    {
        using var answer = await send();
        return new HttpRequestException("Dropped after.");
    }

    private static string ConflictOf(HttpRequestMessage request)
    {
        var path = request.RequestUri!.AbsolutePath;
        return path.Contains("/Tables", StringComparison.Ordinal) ? "TableBeingDeleted"
            : path.Contains("/Smtp2Go", StringComparison.Ordinal) || path.EndsWith("/$batch", StringComparison.Ordinal)
                ? "EntityAlreadyExists"
            : request.Headers.Contains("x-ms-blob-type") ? "ContainerBeingDeleted"
            : "QueueBeingDeleted";
    }

    private static HttpResponseMessage Answer(HttpRequestMessage request, int status, string code)
    {
        var isTable =
            request.RequestUri!.AbsolutePath.Contains("/Smtp2Go", StringComparison.Ordinal)
            || request.RequestUri.AbsolutePath.EndsWith("/$batch", StringComparison.Ordinal);
        var answer = new HttpResponseMessage((HttpStatusCode)status)
        {
            RequestMessage = request,
            Content = new StringContent(
                isTable ? $$"""{"odata.error":{"code":"{{code}}","message":{"lang":"en-US","value":"A fault."} } }""" : string.Empty,
                Encoding.UTF8,
                isTable ? "application/json" : "application/xml"),
        };
        answer.Headers.Add("x-ms-error-code", code);
        return answer;
    }
}
