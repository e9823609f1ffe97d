using Smtp2GoIngest.AppUnderTest;
using Smtp2GoIngest.Load;
using Spectre.Console;

if (args is ["serve", var served, var account, var consuming])
{
    await Sides.ServeAsync(Enum.Parse<Side>(served), account, bool.Parse(consuming));
    return 0;
}

// The app beside the plain way and beside the floor: the same clients and payloads, in turn. --quick, as CI runs it, only counts.
using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};
var quick = args.Contains("--quick");
var (rounds, seconds, backlog, deepBacklog, flood) = quick ? (1, 1, 500, 1_000, 2_000) : (5, 4, 4_000, 20_000, 100_000);
int[] connections = quick ? [1, 64] : [1, 16, 64, 256];

AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
await using var azurite = await SplitAzurite.StartAsync(interrupted.Token);
var comparison = new Comparison(new Storage(azurite.ConnectionString), TimeSpan.FromSeconds(quick ? 1 : 3), interrupted.Token);
var figures = new List<Figures>();
Show(Report.Of("Receiving, nobody draining", await comparison.ReceiveAsync(connections, rounds, TimeSpan.FromSeconds(seconds))));
Show(Report.Of("Receiving while the queue is drained", await comparison.ReceiveAndStoreAsync(rounds, TimeSpan.FromSeconds(seconds))));
Show(Report.Of($"Draining {backlog:N0} webhooks", await comparison.DrainAsync(rounds, backlog)));

// Azurite sorts a whole queue for each look into it: a deep one measures that, and takes the plain way ten minutes a round.
Show(Report.Of($"Draining {deepBacklog:N0} webhooks, one round", await comparison.DrainAsync(1, deepBacklog)));
Show(Report.Of(await comparison.FloodAsync(flood)));
AnsiConsole.WriteLine(
    $"{comparison.Counted:N0} webhooks acknowledged, {comparison.Lost:N0} of them neither in the queue nor in the tables, {comparison.Twice:N0} stored twice; refused: {string.Join(", ", comparison.Refused.Select(side => $"{side.Key} {side.Value:N0}"))}.");
if (!quick)
{
    await Report.WriteAsync("docs/performance.md", figures, interrupted.Token);
}

return comparison is { Lost: 0, Twice: 0 } ? 0 : 1;

void Show(Figures shown)
{
    shown.Print();
    figures.Add(shown);
}
