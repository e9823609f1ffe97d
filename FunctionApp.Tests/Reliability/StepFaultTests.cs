using System.Net;
using System.Text;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>One step to storage fails, for every step and in each way in which it can fail. The result is the same as ever.</summary>
public sealed class StepFaultTests(AzuriteFixture azurite)
{
    private const int MaxRuns = 32;

    public enum Failure
    {
        /// <summary>Throttling, a failing service, or a connection that breaks before the request takes effect, in turn.</summary>
        Unavailable,

        /// <summary>409: it is being deleted, or a row is said to be there that is not.</summary>
        Conflict,

        /// <summary>The request takes effect and the connection breaks before the answer, at every try.</summary>
        DroppedAfter,

        /// <summary>The same at the first try alone: the storage client's own next try meets what the first has done.</summary>
        DroppedAfterOnce,
    }

    public static TheoryData<Failure> Failures => [.. Enum.GetValues<Failure>()];

    private static Scenario All => Scenario.All[Scenario.Mixed] with
    {
        Posts = [$"event=processed&id=3&email_id=e3&recipients=a@x.example,b@x.example&message={new string('m', 50_000)}"],
        Events = ["1", "2", "3"],
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Whatever_step_fails_everything_is_stored_once(Failure failure)
    {
        var steps = await RunAsync(failure, int.MaxValue);
        Assert.InRange(steps, 10, 100);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, steps),
            new ParallelOptions { MaxDegreeOfParallelism = MaxRuns, CancellationToken = Test.Token },
            async (step, _) =>
            {
                var reached = 0;
                var wrong = await Record.ExceptionAsync(async () => reached = await RunAsync(failure, step));
                Assert.True(wrong is null, $"Step {step} of {steps}: {wrong}");
                Assert.True(reached >= step, $"Step {step} of {steps} was never reached.");
            });
    }

    private async Task<int> RunAsync(Failure failure, int failing)
    {
        var account = azurite.NewAccount();
        await All.EnqueueAsync(account);
        var steps = new Dictionary<string, int>(StringComparer.Ordinal);
        await using var app = await IngestApp.StartAsync(account, configure: services =>
        {
            StorageWire.Between(account, MeetAsync)(services);
            IngestApp.UseLease(services, TimeSpan.FromSeconds(1));
        });

        await All.PostAsync(app);
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, All.Events, All.DeadLetters);
        return steps.Count;

        async Task<HttpResponseMessage> MeetAsync(
            HttpRequestMessage request, Func<Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
        {
            // How many renewals of a lease there are is a matter of time.
            if (StorageWire.IsPoll(request) || StorageWire.IsRenewal(request))
            {
                return await send();
            }

            // Each try of one call has the same id.
            var id = request.Headers.GetValues("x-ms-client-request-id").Single();
            int step;
            bool isAgain;
            lock (steps)
            {
                isAgain = !steps.TryAdd(id, steps.Count + 1);
                step = steps[id];
            }

            return step != failing ? await send() : failure switch
            {
                Failure.Unavailable when step % 4 == 0 => throw new HttpRequestException("Dropped before."),
                Failure.Unavailable => Answer(request, ((int[])[500, 503, 429])[step % 4 - 1], "ServerBusy"),
                Failure.Conflict => Answer(request, 409, ConflictOf(request)),
                Failure.DroppedAfterOnce when isAgain => await send(),
                _ => throw await DroppedAfterAsync(send),
            };
        }
    }

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
