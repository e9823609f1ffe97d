using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Azure;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Is everything within reach, and is the app keeping up?</summary>
internal static class CheckCommand
{
    private const string NotYet = "not there yet: the first webhook that needs it makes it";

    // Storing takes seconds, and a failed try comes again after 30.
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(5);

    public static Command Create(CommandContext context)
    {
        var command = new Command("check", "Reaches for queues, tables and blobs, and looks how much waits; changes nothing. 1 where there is a problem.");
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (queues, tables, blobs) = (context.Queues(parsed), context.Tables(parsed), context.Blobs(parsed));
            var now = context.Time.GetUtcNow();
            var checks = new List<(string What, Func<Task<Finding>> Look)>
            {
                ("connection", () => Task.FromResult(new Finding(true, $"account {tables.AccountName}"))),
                ($"queue {WebhookQueue.Name}", () => QueueAsync(queues.GetQueueClient(WebhookQueue.Name), now, "is the app running?", cancellationToken)),
                ($"queue {WebhookQueue.PoisonName}", () => QueueAsync(queues.GetQueueClient(WebhookQueue.PoisonName), now, "KeepPoison should have made dead letters of them; is the app running?", cancellationToken)),
            };
            foreach (var table in new[] { EventStore.TableName, EventIndex.ByRecipientTable, EventIndex.ByDayTable, DeadLetters.TableName })
            {
                checks.Add(($"table {table}", () => TableAsync(table)));
            }

            checks.Add(($"container {WebhookBlobs.ContainerName}", async () =>
            {
                await blobs.GetBlobContainerClient(WebhookBlobs.ContainerName).GetPropertiesAsync(cancellationToken: cancellationToken);
                return new Finding(true, "there");
            }
            ));

            var allOk = true;
            foreach (var (what, look) in checks)
            {
                var finding = await TryAsync(look, cancellationToken);
                allOk &= finding.Ok;
                if (context.IsJson(parsed))
                {
                    await context.Output.WriteJsonAsync(new JsonObject { ["check"] = what, ["ok"] = finding.Ok, ["detail"] = finding.Detail, ["messages"] = finding.Messages, ["oldestSeconds"] = finding.OldestSeconds }, cancellationToken);
                }
                else
                {
                    context.Console.Write(new Text(finding.Ok ? "ok       " : "problem  ", finding.Ok ? Color.Green : Color.Red));
                    context.Console.WriteLine($"{what}: {finding.Detail}");
                }
            }

            return allOk ? ExitCode.Done : ExitCode.Failed;

            async Task<Finding> TableAsync(string name)
            {
                await foreach (var page in tables.GetTableClient(name).QueryAsync<Azure.Data.Tables.TableEntity>(maxPerPage: 1, select: ["PartitionKey"], cancellationToken: cancellationToken).AsPages())
                {
                    return page.Values.Count == 0 ? new Finding(true, "there, and empty")
                        : name == DeadLetters.TableName ? new Finding(true, "has dead letters; `smtp2go-ingest dead-letters list` shows them")
                        : new Finding(true, "there");
                }

                return new Finding(true, "there, and empty");
            }
        });
        return command;
    }

    private static async Task<Finding> QueueAsync(QueueClient queue, DateTimeOffset now, string hint, CancellationToken cancellationToken)
    {
        var depth = (await queue.GetPropertiesAsync(cancellationToken)).Value.ApproximateMessagesCount;
        var visible = depth == 0 ? [] : (await queue.PeekMessagesAsync(32, cancellationToken)).Value;
        if (visible.Length == 0)
        {
            return new Finding(true, depth == 0 ? "empty" : string.Create(CultureInfo.InvariantCulture, $"{depth} messages, being worked on or waiting for their next try"), depth);
        }

        var age = now - visible.Min(message => message.InsertedOn ?? now);
        var detail = string.Create(CultureInfo.InvariantCulture, $"{depth} messages, the oldest {Math.Max(0, age.TotalSeconds):0} s old");
        return new Finding(age <= MaxAge, age <= MaxAge ? detail : $"{detail}: {hint}", depth, Math.Max(0, Math.Round(age.TotalSeconds)));
    }

    private static async Task<Finding> TryAsync(Func<Task<Finding>> look, CancellationToken cancellationToken)
    {
        try
        {
            return await look();
        }
        catch (RequestFailedException e) when (e.ErrorCode == QueueErrorCode.QueueNotFound || e.ErrorCode == BlobErrorCode.ContainerNotFound || e.ErrorCode == Azure.Data.Tables.Models.TableErrorCode.TableNotFound)
        {
            return new Finding(true, NotYet);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && Program.Explain(e) is { } problem)
        {
            return new Finding(false, problem);
        }
    }

    private sealed record Finding(bool Ok, string Detail, int? Messages = null, double? OldestSeconds = null);
}
