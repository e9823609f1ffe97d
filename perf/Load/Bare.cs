using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Data.Tables.Sas;
using Azure.Storage.Queues;
using Azure.Storage.Sas;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Perf.Load;

/// <summary>
/// What storage takes: writes the app's own rows and messages again, by requests that are ready before the clock starts. Rows of one
/// partition go in one transaction, since nothing is faster.
/// </summary>
internal sealed class Bare(Storage storage)
{
    private const int RowsInTransaction = 100;
    private static readonly int[] AtATime = [4, 8, 16, 32];
    private static readonly DateTimeOffset SasEnds = DateTimeOffset.UtcNow.AddDays(1);

    private static readonly HttpClient Client = new() { Timeout = TimeSpan.FromMinutes(1) };

    /// <summary>Writes the rows that are in the app's tables now, after emptying those.</summary>
    public async Task<Draining> StoreAsync(CancellationToken cancellationToken)
    {
        var tables = await storage.RowsAsync(Side.App, columns: null, cancellationToken);
        var service = new TableServiceClient(storage.ConnectionString);
        var sas = service.GenerateSasUri(TableAccountSasPermissions.All, TableAccountSasResourceTypes.Object, SasEnds).Query;
        var requests = tables
            .SelectMany(table => table.Value
                .GroupBy(row => row.PartitionKey)
                .SelectMany(partition => partition.Chunk(RowsInTransaction))
                .Select(rows => (Table: table.Key, Rows: rows.Select(ToJson).ToArray())))
            .ToList();
        var seconds = await FastestAsync(
            () => requests.Select(request => (request.Rows.Length, request.Rows.Length == 1
                ? Insert($"{service.Uri}/{request.Table}{sas}", request.Rows[0])
                : Transaction($"{service.Uri}/$batch{sas}", $"{service.Uri}/{request.Table}", request.Rows))),
            cancellationToken);
        var (events, rows) = (tables.First().Value.Count, tables.Sum(table => table.Value.Count));
        return new Draining(events / seconds, rows / seconds, double.NaN, requests.Count * 1000.0 / events, double.NaN);
    }

    /// <summary>Sends the messages in which the app has sent what it acknowledged.</summary>
    public async Task<Receiving> EnqueueAsync(IReadOnlyList<string> messages, Seen acknowledged, CancellationToken cancellationToken)
    {
        var service = new QueueServiceClient(storage.ConnectionString);
        var sas = service.GenerateAccountSasUri(AccountSasPermissions.All, SasEnds, AccountSasResourceTypes.Object).Query;
        var url = $"{service.Uri.AbsoluteUri.TrimEnd('/')}/{WebhookQueue.Name}/messages{sas}&messagettl=-1";
        var contents = messages
            .Select(message => $"<QueueMessage><MessageText>{message}</MessageText></QueueMessage>") // It has nothing that XML escapes.
            .ToList();
        var seconds = await FastestAsync(
            () => contents.Select(content => (Rows: 1, Request: new HttpRequestMessage(HttpMethod.Post, url)
            {
                Content = new StringContent(content, Encoding.UTF8, "application/xml"),
            })),
            cancellationToken);
        return new Receiving(
            acknowledged with { Elapsed = TimeSpan.FromSeconds(seconds), Milliseconds = [] },
            double.NaN,
            messages.Count * 1000.0 / acknowledged.Acknowledged.Count,
            double.NaN);
    }

    /// <summary>Sends the same requests a few times, each time with another number at a time.</summary>
    /// <returns>The shortest time that all of them took, in seconds.</returns>
    private async Task<double> FastestAsync(
        Func<IEnumerable<(int Rows, HttpRequestMessage Request)>> build, CancellationToken cancellationToken)
    {
        var best = double.MaxValue;
        foreach (var parallel in AtATime)
        {
            await storage.ResetAsync(cancellationToken);
            best = Math.Min(best, await SendAsync([.. build()], parallel, cancellationToken));
        }

        return best;
    }

    private static async Task<double> SendAsync(
        List<(int Rows, HttpRequestMessage Request)> requests, int parallel, CancellationToken cancellationToken)
    {
        var start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(
            requests,
            new ParallelOptions { MaxDegreeOfParallelism = parallel, CancellationToken = cancellationToken },
            async (send, token) =>
            {
                using var request = send.Request;
                using var answer = await Client.SendAsync(request, token);
                answer.EnsureSuccessStatusCode();

                // A transaction itself is always accepted. What became of each row is in the answer.
                if (answer.StatusCode == HttpStatusCode.Accepted
                    && (await answer.Content.ReadAsStringAsync(token)).Split("HTTP/1.1 204").Length != send.Rows + 1)
                {
                    throw new HttpRequestException("A transaction was refused.");
                }
            });
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static HttpRequestMessage Insert(string url, string row)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(row, Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("Accept", "application/json;odata=nometadata");
        request.Headers.TryAddWithoutValidation("DataServiceVersion", "3.0");
        request.Headers.TryAddWithoutValidation("x-ms-version", "2019-02-02");
        request.Headers.TryAddWithoutValidation("Prefer", "return-no-content");
        return request;
    }

    private static HttpRequestMessage Transaction(string url, string table, string[] rows)
    {
        var body = new StringBuilder("--batch_b\r\nContent-Type: multipart/mixed; boundary=changeset_c\r\n\r\n");
        foreach (var row in rows)
        {
            body.Append(
                CultureInfo.InvariantCulture,
                $"--changeset_c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST {table} HTTP/1.1\r\n")
                .Append("Accept: application/json;odata=nometadata\r\nDataServiceVersion: 3.0\r\nPrefer: return-no-content\r\n")
                .Append(CultureInfo.InvariantCulture, $"Content-Type: application/json\r\n\r\n{row}\r\n");
        }

        body.Append("--changeset_c--\r\n--batch_b--\r\n");
        var request = Insert(url, body.ToString());
        request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/mixed; boundary=batch_b");
        return request;
    }

    private static string ToJson(TableEntity row)
    {
        var properties = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var (name, value) in row.Where(property => property.Key is not ("Timestamp" or "odata.etag")))
        {
            properties[name] = value switch
            {
                DateTimeOffset time => time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
                string or int or bool => value,
                _ => throw new NotSupportedException($"Column {name} has a type that is not written here."),
            };
            if (value is DateTimeOffset)
            {
                properties[$"{name}@odata.type"] = "Edm.DateTime";
            }
        }

        return JsonSerializer.Serialize(properties);
    }
}
