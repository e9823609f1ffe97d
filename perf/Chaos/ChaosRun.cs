using System.Globalization;
using Azure;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Lab.FaultProxy;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>One run: chaos, then quiet, then the books.</summary>
internal static class ChaosRun
{
    private const int ShownOffenders = 10;

    // After a kill, a message stays hidden for a minute.
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromMinutes(5);

    /// <summary>Runs and prints; returns 0 if everything balances.</summary>
    public static async Task<int> RunAsync(TimeSpan duration, int seed, CancellationToken cancellationToken)
    {
        Journal.Note(string.Create(CultureInfo.InvariantCulture, $"seed {seed}, {duration.TotalMinutes} minutes"));
        await AzuriteInstallation.InstallAsync(cancellationToken);
        var data = Directory.CreateTempSubdirectory("smtp2go-ingest-chaos-");
        var balanced = false;
        try
        {
            balanced = await RunAsync(duration, seed, data, cancellationToken);
        }
        catch (Exception e) when (e is InvalidOperationException or RequestFailedException or IOException or OperationCanceledException)
        {
            Journal.Note(cancellationToken.IsCancellationRequested ? "interrupted" : $"the run failed: {e}");
        }
        finally
        {
            if (balanced || cancellationToken.IsCancellationRequested)
            {
                data.Delete(recursive: true);
            }
            else
            {
                Journal.Note($"Azurite's data and app.log stay in {data.FullName}; repeat with --seed {seed}");
            }
        }

        return balanced ? 0 : 1;
    }

    private static async Task<bool> RunAsync(TimeSpan duration, int seed, DirectoryInfo data, CancellationToken cancellationToken)
    {
        var ledger = new Ledger(seed);
        await using var azurite = new RestartedAzurite(data.CreateSubdirectory("azurite"));
        await azurite.StartAsync(cancellationToken);
        await using var proxy = await StorageProxy.StartAsync(azurite.ConnectionString, cancellationToken);
        await using var app = await AppProcess.CopyAsync(data, proxy.ConnectionStringOf(azurite.ConnectionString), cancellationToken);
        await app.StartAsync(cancellationToken);
        using var disturbances = new Disturbances(app, proxy, azurite, ledger, seed);
        using var clients = new Clients(app.Url, ledger, seed);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Both at once; if one fails, the other ends.
        var reports = ReportAsync(ledger, proxy, over.Token);
        await AllOrNoneAsync(over, clients.RunAsync(duration, over.Token), disturbances.RunAsync(duration, over.Token));
        Journal.Note("the chaos is over");
        await DrainAsync(azurite.ConnectionString, cancellationToken);
        var poison = await Books.ReadPoisonAsync(ledger, azurite.ConnectionString, cancellationToken);
        await ReplayPoisonAsync(azurite.ConnectionString, cancellationToken);
        await DrainAsync(azurite.ConnectionString, cancellationToken);
        await over.CancelAsync();
        await reports;
        await app.TerminateAsync(cancellationToken);

        await CountedBooks.CountAsync(azurite.ConnectionString, cancellationToken);
        var books = await Books.ReadAsync(ledger, azurite.ConnectionString, cancellationToken);
        IReadOnlyList<BookLine> lines =
        [
            .. books.Balance(),
            .. await CountedBooks.BalanceAsync(azurite.ConnectionString, cancellationToken),
            poison,
            new("exits of the app: only as asked, and clean", app.Kills + app.Terminations, app.BadEnds),
        ];
        Print(seed, lines, books, ledger, app, proxy, disturbances);
        return lines.All(line => line.Offending.Count == 0);
    }

    private static async Task AllOrNoneAsync(CancellationTokenSource over, params Task[] tasks)
    {
        var all = tasks.ToList();
        while (all.Count > 0)
        {
            var ended = await Task.WhenAny(all);
            all.Remove(ended);
            if (!ended.IsCompletedSuccessfully)
            {
                await over.CancelAsync();
                await Task.WhenAll(all)
                    .ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            await ended;
        }
    }

    // As an operator would do, now that storage works again: what came from the poison queue while it did not is a dead letter until now.
    private static async Task ReplayPoisonAsync(string connectionString, CancellationToken cancellationToken)
    {
        using var output = new StringWriter();
        string[] arguments = ["dead-letters", "replay", "--reason", DeadLetterReason.Poison, "--no-wait", "--connection", connectionString];
        var context = new CommandContext(output, output, Path.GetTempPath());
        var exitCode = await Tool.Program.RunAsync(arguments, context, cancellationToken);
        if (exitCode is not (ExitCode.Done or ExitCode.NothingFound))
        {
            throw new InvalidOperationException($"The replay ended with {exitCode}: {output}");
        }

        Journal.Note($"replay of what was kept from the poison queue: {output.ToString().Trim()}");
    }

    private static async Task DrainAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            await QueueDrain.WaitAsync(Books.QueuesOf(connectionString), DrainTimeout, cancellationToken);
            Journal.Note("the queues are empty");
        }
        catch (TimeoutException)
        {
            // The books count what is left.
            Journal.Note("the queues did not empty in time");
        }
    }

    private static async Task ReportAsync(Ledger ledger, StorageProxy proxy, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(10));
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                Journal.Note(
                    string.Create(
                        CultureInfo.InvariantCulture, $"{ledger.Acknowledged:N0} acknowledged, {proxy.Injected.Values.Sum():N0} faults"));
            }
        }
        catch (OperationCanceledException)
        {
            // The run is over.
        }
    }

    private static void Print(
        int seed, IReadOnlyList<BookLine> lines, Books books, Ledger ledger, AppProcess app, StorageProxy proxy, Disturbances disturbances)
    {
        var table = new Table()
            .RoundedBorder()
            .Title($"The books, seed {seed.ToString(CultureInfo.InvariantCulture)}")
            .AddColumns("Must be true", "Checked", "Not true");
        foreach (var line in lines)
        {
            table.AddRow(
                Markup.Escape(line.What),
                Number(line.Count),
                line.Offending.Count == 0 ? "[green]0[/]" : $"[red]{Number(line.Offending.Count)}[/]");
        }

        AnsiConsole.Write(table);
        var counts = new Table().RoundedBorder().HideHeaders().AddColumns("What", "How many");
        counts.AddRow("acknowledged", Number(ledger.Acknowledged));
        foreach (var (answer, count) in ledger.Answers.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            counts.AddRow($"posts answered: {answer}", Number(count));
        }

        counts.AddRow("SIGKILL / SIGTERM", $"{Number(app.Kills)} / {Number(app.Terminations)}");
        counts.AddRow("Azurite stopped and started", Number(disturbances.AzuriteRestarts));
        counts.AddRow("outages of one service", Number(disturbances.Outages));
        counts.AddRow("poison messages", Number(disturbances.Poison));
        foreach (var kind in proxy.Injected.GroupBy(fault => fault.Key.Kind).OrderBy(kind => kind.Key))
        {
            counts.AddRow(
                $"faults: {kind.Key}",
                $"{Number(kind.Sum(fault => fault.Value))} on {Number(kind.DistinctBy(fault => fault.Key.Operation).Count())} operations");
        }

        counts.AddRow(
            "faults, outages not counted",
            Number(proxy.Injected.Where(fault => fault.Key.Kind != FaultKind.Away).Sum(fault => fault.Value)));
        counts.AddRow("longest acknowledgement", Seconds(ledger.LongestAcknowledgement));
        counts.AddRow("longest from receipt to storage", Seconds(books.MaxLag));
        AnsiConsole.Write(counts);
        foreach (var line in lines)
        {
            foreach (var offender in line.Offending.Take(ShownOffenders))
            {
                Console.WriteLine($"{line.What}: {offender}");
            }
        }
    }

    private static string Seconds(TimeSpan time) => $"{time.TotalSeconds.ToString("0.0", CultureInfo.InvariantCulture)} s";

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
