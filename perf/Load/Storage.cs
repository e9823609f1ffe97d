using System.Text;
using Azure.Data.Tables;
using Azure.Storage.Queues;
using Smtp2GoIngest.Lab;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>What the sides store in, and what is found in it.</summary>
internal sealed class Storage(string connectionString)
{
    // The pump's lease is a minute.
    private static readonly TimeSpan HiddenAtMost = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromMinutes(30);

    private static readonly string[] AppTables =
        [EventStore.TableName, EventIndex.ByDayTable, EventIndex.ByRecipientTable, Recipients.TableName];

    public string ConnectionString => connectionString;

    /// <summary>How many messages are in a side's queue, including hidden ones.</summary>
    public async Task<int> MessagesAsync(Side side, CancellationToken cancellationToken) =>
        side == Side.Floor ? 0 : await QueueDrain.CountAsync([QueueOf(side)], cancellationToken);

    /// <summary>The ids of the events in a side's queue, and the messages; those that are hidden once they are visible again.</summary>
    public async Task<(List<string> Ids, List<string> Messages)> QueuedAsync(Side side, CancellationToken cancellationToken)
    {
        var (ids, texts) = (new List<string>(), new List<string>());
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(HiddenAtMost);
        for (var left = await MessagesAsync(side, cancellationToken); left > 0;)
        {
            var messages = (await QueueOf(side).ReceiveMessagesAsync(32, TimeSpan.FromHours(1), timeout.Token)).Value;
            left -= messages.Length;
            await Task.Delay(messages.Length == 0 ? 200 : 0, timeout.Token);
            texts.AddRange(messages.Select(message => message.Body.ToString()));
            ids.AddRange(messages.SelectMany(message => side == Side.App
                ? Envelope.Read(message.Body.ToString()).Entries.Select(entry => IdOf(Encoding.UTF8.GetBytes(entry.Webhook!.Body!)))
                : [IdOf(message.Body)]));
        }

        return (ids, texts);
    }

    /// <summary>The ids of a side's events, one for each row, and the number of rows in all its tables.</summary>
    public async Task<(List<string> Events, int All)> CountAsync(Side side, CancellationToken cancellationToken)
    {
        var tables = await RowsAsync(side, ["id"], cancellationToken);
        return ([.. tables.First().Value.Select(row => row.GetString("id"))], tables.Sum(table => table.Value.Count));
    }

    /// <summary>A side's rows, by the name of their table; the first has the events.</summary>
    /// <param name="columns">Null for all.</param>
    public async Task<OrderedDictionary<string, List<TableEntity>>> RowsAsync(
        Side side, IEnumerable<string>? columns, CancellationToken cancellationToken)
    {
        var tables = new OrderedDictionary<string, List<TableEntity>>();
        foreach (var table in TablesOf(side))
        {
            tables[table.Name] = await table
                .QueryAsync<TableEntity>(select: columns, cancellationToken: cancellationToken)
                .ToListAsync(cancellationToken);
        }

        return tables;
    }

    /// <summary>Gives both sides an empty queue and empty tables: the more Azurite stores, the slower it gets.</summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        foreach (var side in new[] { Side.App, Side.Plain })
        {
            await QueueOf(side).CreateIfNotExistsAsync(cancellationToken: cancellationToken);
            await QueueOf(side).ClearMessagesAsync(cancellationToken);
            foreach (var table in TablesOf(side))
            {
                await table.DeleteAsync(cancellationToken);
                await table.CreateAsync(cancellationToken);
            }
        }
    }

    /// <summary>Waits until a side's queue is empty.</summary>
    /// <exception cref="TimeoutException">It is not empty after half an hour.</exception>
    public Task DrainedAsync(Side side, CancellationToken cancellationToken) =>
        QueueDrain.WaitAsync([QueueOf(side)], DrainTimeout, cancellationToken);

    private static string IdOf(ReadOnlyMemory<byte> body)
    {
        _ = WebhookBody.TryParse(body.Span, out var fields, out _);
        return fields!.Single(field => field.Name == "id").Values[0].Text;
    }

    private QueueClient QueueOf(Side side) => new(connectionString, side == Side.App ? WebhookQueue.Name : Sides.PlainQueue);

    private IEnumerable<TableClient> TablesOf(Side side) =>
        (side == Side.App ? AppTables : [Sides.PlainTable]).Select(table => new TableClient(connectionString, table));
}
