using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Commands;
using Spectre.Console;
using ToolProgram = Smtp2GoIngest.Tool.Program;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};

if (args is not ([] or ["--once"]))
{
    Console.Error.WriteLine("Usage: dotnet run --project Local [-- --once]");
    return 2;
}

try
{
    return await RunAsync(once: args.Length > 0, interrupted.Token);
}
catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
{
    return 1;
}
catch (Exception e)
    when (e is InvalidOperationException or HttpRequestException or RequestFailedException or IOException or OperationCanceledException)
{
    AnsiConsole.MarkupLineInterpolated($"[red]{e.Message}[/]");
    return 1;
}

static async Task<int> RunAsync(bool once, CancellationToken cancellationToken)
{
    if (!AzuriteInstallation.IsInstalled)
    {
        await StepAsync("Installing Azurite from npm (once, about 400 MB)", async () =>
        {
            await AzuriteInstallation.InstallAsync(cancellationToken);
            return true;
        });
    }

    var data = Directory.CreateTempSubdirectory("smtp2go-ingest-");
    try
    {
        // Azurite loads while the app is built, which needs no storage before it starts.
        var starting = Azurite.StartAsync(data.FullName, [], cancellationToken);
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var built = BuildApp(password);
        await using var azurite = await StepAsync("Starting Azurite", () => starting);
        await using var app = await StepAsync(
            "Starting the app", () => StartAsync(built, azurite.ConnectionString, cancellationToken));
        var endpoint = new Uri(new Uri(app.Urls.First()), "webhook/smtp2go");

        var start = DateTimeOffset.UtcNow.AddMinutes(-6);
        var formEmail = SampleWebhook.OneOfEach("1wform-FnQW0hPru7M-NRRC", start);
        var jsonEmail = SampleWebhook.OneOfEach("1wjson-FnQW0hPru8K-QTTA", start);
        var sent = await StepAsync(
            "Posting one of each event, as a form and as JSON",
            () => PostAsync(endpoint, password, formEmail, jsonEmail, cancellationToken));
        var rows = await StepAsync(
            "Waiting until they are stored", () => WaitForRowsAsync(azurite.ConnectionString, sent, cancellationToken));

        var isShown = true;
        foreach (var id in rows.Select(row => row.PartitionKey).Distinct())
        {
            AnsiConsole.MarkupLineInterpolated($"\n[bold]smtp2go-ingest email {id}[/]");
            isShown &= await ToolProgram.RunAsync(
                ["email", id, "--connection", azurite.ConnectionString],
                new CommandContext(Console.Out, Console.Error, data.FullName),
                cancellationToken) == ExitCode.Done;
        }

        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"\n{rows.Count} of {sent} sample webhooks are stored in {EventStore.TableName}.");
        if (once)
        {
            await app.StopAsync(cancellationToken);
            return isShown && rows.Count == sent ? 0 : 1;
        }

        AnsiConsole.MarkupLine("\n[bold]Storage Explorer[/]: Attach to a resource, Storage account, Connection string:");
        Console.WriteLine(azurite.ConnectionString);
        AnsiConsole.MarkupLine("\n[bold]Try it[/]:");
        Console.WriteLine(
            $"curl -i -u smtp2go:{password} {endpoint} "
            + $"-d 'event=open&email_id=my-first&rcpt=me@example.com&time={DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ssZ}'");
        AnsiConsole.MarkupLine("\nCtrl+C stops everything and deletes its data.");
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }
    finally
    {
        data.Delete(recursive: true);
    }
}

static WebApplication BuildApp(string password) => SelfHostedApp.Build([],
[
    new("urls", "http://127.0.0.1:0"),
    new("Webhook:Username", "smtp2go"),
    new("Webhook:Password", password),
    new("Logging:LogLevel:Default", "Warning"),
]);

static async Task<WebApplication> StartAsync(WebApplication app, string connectionString, CancellationToken cancellationToken)
{
    app.Configuration[StorageOptions.Connection] = connectionString;
    await app.StartAsync(cancellationToken);
    return app;
}

static async Task<int> PostAsync(
    Uri endpoint,
    string password,
    IReadOnlyList<SampleWebhook> asForm,
    IReadOnlyList<SampleWebhook> asJson,
    CancellationToken cancellationToken)
{
    using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(10) };
    client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
        "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"smtp2go:{password}")));
    var bodies = asForm
        .Select(w => (Body: w.ToForm(), Type: "application/x-www-form-urlencoded"))
        .Concat(asJson.Select(w => (Body: w.ToJson(), Type: "application/json")))
        .ToList();
    await Parallel.ForEachAsync(bodies, cancellationToken, async (post, token) =>
    {
        using var content = new StringContent(post.Body, Encoding.UTF8, post.Type);
        using var answer = await client.PostAsync(endpoint, content, token);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"The app answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(token)}");
        }
    });
    return bodies.Count;
}

// Storing takes a second, on a busy machine ten.
static async Task<IReadOnlyList<TableEntity>> WaitForRowsAsync(string connectionString, int expected, CancellationToken cancellationToken)
{
    var table = new TableClient(connectionString, EventStore.TableName);
    var deadline = DateTimeOffset.UtcNow.AddMinutes(1);
    while (true)
    {
        List<TableEntity> rows = [];
        try
        {
            var query = table.QueryAsync<TableEntity>(select: ["PartitionKey"], cancellationToken: cancellationToken);
            rows = await query.ToListAsync(cancellationToken);
        }
        catch (RequestFailedException e) when (e.Status == 404)
        {
            // The first event makes the table.
        }

        if (rows.Count >= expected || DateTimeOffset.UtcNow > deadline)
        {
            return rows;
        }

        await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
    }
}

static async Task<T> StepAsync<T>(string what, Func<Task<T>> step)
{
    var started = TimeProvider.System.GetTimestamp();
    var result = await AnsiConsole.Status().StartAsync(what, _ => step());
    var seconds = TimeProvider.System.GetElapsedTime(started).TotalSeconds;
    AnsiConsole.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"[green]✓[/] {what} [grey]({seconds:0.0} s)[/]");
    return result;
}
