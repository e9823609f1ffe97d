using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Tests;

/// <summary>An answer of SMTP2GO's API.</summary>
internal sealed record Smtp2GoAnswer(HttpStatusCode Status, JsonNode Json, TimeSpan? RetryAfter)
{
    public JsonNode Data => Json["data"]!;

    public int Total => (int)Data["total_events"]!;

    public string? Token => (string?)Data["continue_token"] is { Length: > 0 } token ? token : null;

    public IReadOnlyList<JsonNode> Events => [.. Data["events"]!.AsArray().Select(it => it!)];

    public string? ErrorCode => (string?)(Json["data"]?["error_code"] ?? Json["error_code"]);

    /// <summary>The events as text: what two of them look like.</summary>
    public IEnumerable<string> Lines => Events.Select(it => it.ToJsonString());
}

/// <summary>The server under test with a clock that stands still, and a client that knows nothing of it but its URL.</summary>
internal sealed class Smtp2GoClient : IAsyncDisposable
{
    public const string Key = "api-0123456789ABCDEF0123456789ABCDEF";

    public static readonly DateTimeOffset Day = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    private readonly HttpClient http = new();

    private Smtp2GoClient(Smtp2GoAccount account, FakeTimeProvider clock, Smtp2GoServer server)
    {
        Account = account;
        Clock = clock;
        Server = server;
    }

    public Smtp2GoAccount Account { get; }

    public FakeTimeProvider Clock { get; }

    public Smtp2GoServer Server { get; }

    /// <summary>Its account is at the end of the day whose events it has.</summary>
    public static async Task<Smtp2GoClient> StartAsync(params IReadOnlyCollection<Smtp2GoEvent> events)
    {
        var account = new Smtp2GoAccount(Day.AddDays(1));
        account.Keys.Add(new ApiKey(Key));
        account.Add(events);
        var clock = new FakeTimeProvider(Day);
        return new Smtp2GoClient(account, clock, await Smtp2GoServer.StartAsync(account, clock, port: 0, Test.Token));
    }

    /// <summary>The n-th of some events: an open, at a second of the day.</summary>
    public static Smtp2GoEvent Open(int number, double second = 0, string recipient = "ann@example.com") => new()
    {
        Id = number.ToString("x32", System.Globalization.CultureInfo.InvariantCulture),
        Email = new Smtp2GoEmail
        {
            EmailId = $"{EximId.Of(Day)[..7]}FnQW0hPru7M-{number:D4}",
            Sender = "shop@example.com",
            Recipients = [recipient],
            Username = "shop",
        },
        Kind = Smtp2GoEventKind.Opened,
        Date = Day.AddSeconds(second),
        Recipient = recipient,
    };

    public Task<Smtp2GoAnswer> SearchAsync(object body) => PostAsync("/activity/search", body);

    /// <summary>A search of the whole day.</summary>
    public Task<Smtp2GoAnswer> SearchDayAsync(int limit = 1000, string? token = null) => SearchAsync(
        new { start_date = "2026-05-04", end_date = "2026-05-05", limit, continue_token = token });

    public async Task<Smtp2GoAnswer> PostAsync(string path, object body, string header = "X-Smtp2go-Api-Key", string? key = Key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Server.Url + path) { Content = JsonContent.Create(body) };
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation(header, key);
        }

        using var response = await http.SendAsync(request, Test.Token);
        var text = await response.Content.ReadAsStringAsync(Test.Token);
        return new Smtp2GoAnswer(response.StatusCode, JsonNode.Parse(text)!, response.Headers.RetryAfter?.Delta);
    }

    public ValueTask DisposeAsync()
    {
        http.Dispose();
        return Server.DisposeAsync();
    }
}
