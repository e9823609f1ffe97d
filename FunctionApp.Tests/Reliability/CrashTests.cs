using Azure.Storage.Queues.Models;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Reliability;

/// <summary>The process dies right after a write took effect, for each possible write. The next process finishes the work.</summary>
public sealed class CrashTests(AzuriteFixture azurite)
{
    private const int MaxRuns = 32;

    private static readonly string[] Poisoned =
    [
        Scenario.MessageOf(Scenario.Entry("w1", Scenario.EventOf("1")), Scenario.Entry("w2", Scenario.EventOf("2"))),
    ];

    public static TheoryData<string> Scenarios => [.. Scenario.All.Keys];

    [Theory]
    [MemberData(nameof(Scenarios))]
    public async Task Whichever_write_was_the_last_everything_is_stored_once(string scenario) =>
        await AfterEachWriteAsync(writes => RunAsync(Scenario.All[scenario], writes));

    [Fact]
    public async Task Whichever_write_was_the_last_on_the_way_to_poison_each_webhook_is_one_dead_letter() =>
        await AfterEachWriteAsync(writes =>
            RunAsync(new Scenario([], [], Poisoned, [], ["poison", "poison"]), writes, WithoutEvents, tries: 2));

    [Fact]
    public async Task Whichever_write_was_the_last_of_a_replay_each_webhook_is_stored_once_and_its_dead_letter_gone() =>
        await AfterEachWriteAsync(async writes =>
        {
            var account = azurite.NewAccount();
            await new Scenario([], [], [], [], []).EnqueueAsync(account);
            var crash = new CrashPoint(writes) { IsArmed = false };
            await using (
                var dying = await StartAsync(
                    account,
                    (request, send, token) =>
                        crash.IsArmed ? crash.MeetAsync(request, send, token) : WithoutEvents(request, send, token)))
            {
                var poison = QueuesModelFactory.QueueMessage("m", "r", Poisoned[0], 100, null, DateTimeOffset.UtcNow);
                await dying.Services.GetRequiredService<WebhookProcessor>().KeepPoisonAsync(poison, Test.Token);
                crash.IsArmed = true;
                var failure = await Record.ExceptionAsync(() => ReplayAsync(dying));
                Assert.True(failure is null || crash.HasCrashed, $"{failure}");
                await EndedAsync(dying, crash);
            }

            await crash.ReleaseAsync(account);
            await using var app = await StartAsync(account, static (_, send, _) => send());
            await app.DrainedAsync();
            await ReplayAsync(app);
            await app.DrainedAsync();
            await StoredState.AssertAsync(app, account, ["1", "2"]);
            return crash.Writes;
        });

    private static async Task AfterEachWriteAsync(Func<int, Task<int>> run)
    {
        var writes = await run(int.MaxValue);
        Assert.InRange(writes, 2, 100);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, writes),
            new ParallelOptions { MaxDegreeOfParallelism = MaxRuns, CancellationToken = Test.Token },
            async (last, _) =>
            {
                var took = 0;
                var failure = await Record.ExceptionAsync(async () => took = await run(last));
                Assert.True(failure is null, $"After write {last} of {writes}: {failure}");
                Assert.True(took >= last, $"Write {last} of {writes} was never reached.");
            });
    }

    private async Task<int> RunAsync(Scenario scenario, int writes, Meet? always = null, int tries = 100)
    {
        var account = azurite.NewAccount();
        await scenario.EnqueueAsync(account);
        always ??= static (_, send, _) => send();
        var crash = new CrashPoint(writes);
        var acknowledged = new List<string>();
        await using (
            var dying = await StartAsync(
                account,
                (request, send, token) => crash.MeetAsync(request, () => always(request, send, token), token),
                tries))
        {
            foreach (var body in scenario.Posts)
            {
                if (await Scenario.IsAcknowledgedAsync(dying, body))
                {
                    acknowledged.Add(body);
                }
            }

            await EndedAsync(dying, crash);
        }

        await crash.ReleaseAsync(account);
        await using var app = await StartAsync(account, always, tries);
        await (scenario with { Posts = [.. scenario.Posts.Except(acknowledged)] }).PostAsync(app);
        await app.DrainedAsync();
        await StoredState.AssertAsync(app, account, scenario.Events, scenario.DeadLetters);
        return crash.Writes;
    }

    // A long lease: no message is handled twice, however slow the machine is. That would add writes that no other run makes.
    private static Task<IngestApp> StartAsync(
        string account, Meet meet, int tries = 100) => IngestApp.StartAsync(account, configure: services =>
    {
        StorageWire.Between(account, meet)(services);
        IngestApp.UseLease(services, TimeSpan.FromMinutes(1), tries);
    });

    /// <summary>Events cannot be stored; dead letters can.</summary>
    private static async Task<HttpResponseMessage> WithoutEvents(
        HttpRequestMessage request,
        Func<Task<HttpResponseMessage>> send,
        CancellationToken cancellationToken) =>
        await StorageWire.IsInsertAsync(request) ? new HttpResponseMessage(System.Net.HttpStatusCode.Forbidden) : await send();

    private static async Task EndedAsync(IngestApp app, CrashPoint crash) =>
        await Eventually.Get(async () => crash.HasCrashed || await app.WaitingAsync() == 0, ended => ended);

    private static async Task ReplayAsync(IngestApp app)
    {
        foreach (var row in await app.DeadLettersAsync())
        {
            Assert.True(
                await app
                    .Services.GetRequiredService<DeadLetters>()
                    .ReplayAsync(row, app.Services.GetRequiredService<WebhookQueue>(), Test.Token));
        }
    }
}
