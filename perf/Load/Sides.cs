using System.Globalization;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>What is compared, each in its own process.</summary>
internal enum Side
{
    /// <summary>This app.</summary>
    App,

    /// <summary>The usual sample: one message for each POST, one row for each message.</summary>
    Plain,

    /// <summary>Answers 200 and stores nothing.</summary>
    Floor,

    /// <summary>No server: sends what the app has sent, by requests that are ready before. It is what storage takes.</summary>
    Bare,
}

/// <summary>Starts a side, and runs inside its process.</summary>
internal static class Sides
{
    /// <summary>The argument after <c>serve</c>.</summary>
    public const string Verb = "load";

    public const string PlainQueue = "plain-webhooks";
    public const string PlainTable = "PlainEvents";

    /// <param name="assembly">This program, compiled as the app is deployed; null for this process's own.</param>
    public static Task<ServingProcess> StartAsync(
        Side side, string connectionString, bool consume, string? assembly, CancellationToken cancellationToken) =>
        ServingProcess.StartAsync(
            [Verb, side.ToString(), connectionString, consume.ToString(CultureInfo.InvariantCulture)], cancellationToken, assembly);

    /// <summary>How many HTTP requests a process has sent, almost all of them to storage.</summary>
    public static async Task<long> RequestsAsync(ServingProcess server, CancellationToken cancellationToken) =>
        long.Parse(await server.AskAsync(cancellationToken), CultureInfo.InvariantCulture);

    /// <summary>What runs inside the process: each app stores if the one before did not.</summary>
    public static async Task ServeAsync(Side side, string connectionString, bool consume)
    {
        using var requests = new RequestCount();
        while (await ServingProcess.ServeAsync(
            side == Side.App ? Subject.Build(connectionString, consume) : BuildOther(side, connectionString, consume),
            () => requests.Count.ToString(CultureInfo.InvariantCulture)))
        {
            consume = !consume;
        }
    }

    private static WebApplication BuildOther(Side side, string connectionString, bool consume)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection([new("urls", "http://127.0.0.1:0")]);
        builder.Logging.ClearProviders();
        var queue = new QueueClient(connectionString, PlainQueue);
        if (consume)
        {
            // The pump does what the Functions host's queue trigger does, with the same numbers.
            var table = new TableClient(connectionString, PlainTable);
            builder.Services.AddHostedService(_ => new QueuePump(
                queue,
                poison: null,
                (message, cancellationToken) => StoreAsync(table, message, cancellationToken),
                QueueTriggerOptions.FromHostJson(),
                TimeProvider.System,
                NullLogger.Instance));
        }

        var app = builder.Build();
        app.MapPost("/webhook/smtp2go", side == Side.Floor
            ? (RequestDelegate)(static context => Task.CompletedTask)
            : async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                await queue.SendMessageAsync(await reader.ReadToEndAsync());
            });
        return app;
    }

    private static async Task StoreAsync(TableClient table, QueueMessage message, CancellationToken cancellationToken)
    {
        var body = message.Body.ToMemory();
        _ = WebhookBody.TryParse(body.Span, out var fields, out _);
        var values = fields!.ToDictionary(field => field.Name, field => string.Join(',', field.Values.Select(value => value.Text)));
        var row = new TableEntity(values["email_id"], values["id"]);
        foreach (var (name, value) in values)
        {
            row[name.Replace('-', '_')] = value;
        }

        await table.UpsertEntityAsync(row, cancellationToken: cancellationToken);
    }
}
