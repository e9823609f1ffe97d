using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Azure;
using Azure.Data.Tables;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Local;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool;
using Spectre.Console;

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
    if (!Azurite.IsInstalled)
    {
        await StepAsync("Installing Azurite from npm, once, some 400 MB", async () =>
        {
            await Azurite.InstallAsync(cancellationToken);
            return true;
        });
    }

    var data = Directory.CreateTempSubdirectory("smtp2go-ingest-");
    try
    {
        await using var azurite = await StepAsync("Starting Azurite", () => Azurite.StartAsync(data.FullName, [], cancellationToken));
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        await using var app = await StepAsync(
            "Starting the app", () => StartAppAsync(azurite.ConnectionString, password, cancellationToken));
        var endpoint = new Uri(new Uri(app.Urls.First()), "webhook/smtp2go");

        var start = DateTimeOffset.UtcNow.AddMinutes(-6);
        var formEmail = SampleWebhook.OneOfEach("1wform-FnQW0hPru7M-NRRC", start);
        var jsonEmail = SampleWebhook.OneOfEach("1wjson-FnQW0hPru8K-QTTA", start);
        var sent = await StepAsync(
            "Posting one of each event, as a form and as JSON",
            () => PostAsync(endpoint, password, formEmail, jsonEmail, cancellationToken));
        var rows = await StepAsync(
            "Waiting until they are stored", () => WaitForRowsAsync(azurite.ConnectionString, sent, cancellationToken));

        Timeline.Write(rows);
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture, $"{rows.Count} of {sent} sample webhooks are stored in {EventStore.TableName}.");
        if (once)
        {
            await app.StopAsync(cancellationToken);
            return rows.Count == sent ? 0 : 1;
        }

        AnsiConsole.MarkupLine("\n[bold]Storage Explorer[/]: Attach to a resource, Storage account, Connection string:");
        Console.WriteLine(azurite.ConnectionString);
        AnsiConsole.MarkupLine("\n[bold]Try it[/]:");
        Console.WriteLine(
            $"curl -i -u smtp2go:{password} -d 'event=open&email_id=my-first&rcpt=me@example.com&time={DateTimeOffset.UtcNow:yyyy-MM-ddTHH:mm:ssZ}' {endpoint}");
        AnsiConsole.MarkupLine("\nCtrl+C stops everything and deletes its data.");
        await app.WaitForShutdownAsync(cancellationToken);
        return 0;
    }
    finally
    {
        data.Delete(recursive: true);
    }
}

static async Task<WebApplication> StartAppAsync(string connectionString, string password, CancellationToken cancellationToken)
{
    var app = SelfHostedApp.Build([],
    [
        new("urls", "http://127.0.0.1:0"),
        new("EventStorage", connectionString),
        new("Webhook:Username", "smtp2go"),
        new("Webhook:Password", password),
        new("Logging:LogLevel:Default", "Warning"),
    ]);
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
    foreach (var (body, type) in bodies)
    {
        using var content = new StringContent(body, Encoding.UTF8, type);
        using var answer = await client.PostAsync(endpoint, content, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"The app answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancellationToken)}");
        }
    }

    return bodies.Count;
}

// A minute: storing takes a second, on a busy machine some ten.
static async Task<IReadOnlyList<TableEntity>> WaitForRowsAsync(string connectionString, int expected, CancellationToken cancellationToken)
{
    var table = new TableClient(connectionString, EventStore.TableName);
    var deadline = DateTimeOffset.UtcNow.AddMinutes(1);
    while (true)
    {
        List<TableEntity> rows = [];
        try
        {
            rows = await table.QueryAsync<TableEntity>(cancellationToken: cancellationToken).ToListAsync(cancellationToken);
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
