using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Lab.Smtp2Go;

namespace Smtp2GoIngest.Tests.Reconciling;

/// <summary>Who may call SMTP2GO's API, how often, and what a refusal looks like, as the tests have it.</summary>
public sealed class Smtp2GoCallTests
{
    [Fact]
    public async Task Sixty_searches_are_answered_in_any_minute()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            await smtp2go.SearchDayAsync();
        }

        smtp2go.Clock.Advance(TimeSpan.FromSeconds(59));
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await smtp2go.SearchDayAsync()).Status);
        }

        var tooMany = await smtp2go.SearchDayAsync();
        smtp2go.Clock.Advance(TimeSpan.FromSeconds(1));
        var later = await smtp2go.SearchDayAsync();

        Assert.Equal(HttpStatusCode.TooManyRequests, tooMany.Status);
        Assert.Equal("E_ApiResponseCodes.REQ_LIMIT_EXCEEDED", tooMany.ErrorCode);
        Assert.Null(tooMany.RetryAfter);
        Assert.Equal(HttpStatusCode.OK, later.Status);
        Assert.Equal(61, ApiCall.MostInAMinute(smtp2go.Server.Calls));
    }

    [Fact]
    public async Task A_refusal_may_say_when_to_come_again()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();
        smtp2go.Server.Behaviour.RetryAfter = true;
        for (var i = 0; i < Smtp2GoServer.SearchesPerMinute; i++)
        {
            await smtp2go.SearchDayAsync();
        }

        smtp2go.Clock.Advance(TimeSpan.FromSeconds(20));
        var refused = await smtp2go.SearchDayAsync();

        Assert.Equal(TimeSpan.FromSeconds(40), refused.RetryAfter);
    }

    [Fact]
    public async Task A_scaled_clock_makes_the_minute_short()
    {
        var account = new Smtp2GoAccount(Smtp2GoClient.Day);
        var time = new Lab.ScaledTime(Smtp2GoClient.Day, speed: 600);
        await using var server = await Smtp2GoServer.StartAsync(account, time, port: 0, Test.Token);
        var before = time.GetUtcNow();

        await Task.Delay(TimeSpan.FromMinutes(1), time, Test.Token);

        Assert.True(time.GetUtcNow() - before >= TimeSpan.FromMinutes(1));
        Assert.True(time.GetElapsedTime(0) >= TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("X-Smtp2go-Api-Key", Smtp2GoClient.Key, KeyPlaces.Header)]
    [InlineData("Authorization", "Bearer " + Smtp2GoClient.Key, KeyPlaces.Bearer)]
    public async Task A_key_may_come_in_a_header(string header, string key, KeyPlaces place)
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();

        var answer = await smtp2go.PostAsync("/activity/search", new { }, header, key);

        Assert.Equal(HttpStatusCode.OK, answer.Status);
        Assert.Equal(place, Assert.Single(smtp2go.Server.Calls).Key);
    }

    [Fact]
    public async Task A_key_may_come_in_the_body_and_that_is_recorded()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();

        var inBody = await smtp2go.PostAsync("/activity/search", new { api_key = Smtp2GoClient.Key }, key: null);
        await smtp2go.PostAsync("/activity/search", new { search = Smtp2GoClient.Key });
        await smtp2go.PostAsync("/activity/search?key=" + Smtp2GoClient.Key, new { });

        Assert.Equal(HttpStatusCode.OK, inBody.Status);
        Assert.Equal(
            [KeyPlaces.Body, KeyPlaces.Header | KeyPlaces.Body, KeyPlaces.Header | KeyPlaces.Url],
            smtp2go.Server.Calls.Select(call => call.Key));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("api-00000000000000000000000000000000")]
    public async Task A_wrong_key_is_refused_with_401(string? key)
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();

        var answer = await smtp2go.PostAsync("/activity/search", new { }, key: key);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.Status);
        Assert.NotNull(answer.ErrorCode);
    }

    [Fact]
    public async Task A_key_without_the_endpoint_is_refused_with_400_and_may_ask_what_it_may_do()
    {
        const string Limited = "api-FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF";
        await using var smtp2go = await Smtp2GoClient.StartAsync();
        smtp2go.Account.Keys.Add(new ApiKey(Limited, "/webhook/view"));

        var refused = await smtp2go.PostAsync("/activity/search", new { }, key: Limited);
        var permissions = await smtp2go.PostAsync("/api_keys/permissions", new { }, key: Limited);

        Assert.Equal(HttpStatusCode.BadRequest, refused.Status);
        Assert.Equal("E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED", refused.ErrorCode);
        Assert.Equal(["/webhook/view", "/api_keys/permissions"], permissions.Data.AsArray().Select(it => (string)it!));
    }

    [Fact]
    public async Task Keys_are_read_back_masked()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();

        var answer = await smtp2go.PostAsync("/api_keys/view", new { });

        Assert.Equal("api-0123********", (string?)answer.Data[0]!["api_key"]);
        Assert.DoesNotContain(Smtp2GoClient.Key, answer.Json.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_errors_code_is_in_data_or_at_the_root()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();

        List<Smtp2GoAnswer> alternating = [await smtp2go.SearchDayAsync(limit: 0), await smtp2go.SearchDayAsync(limit: 0)];
        smtp2go.Server.Behaviour.ErrorShape = ErrorShape.AtRoot;
        var atRoot = await smtp2go.SearchDayAsync(limit: 0);
        smtp2go.Server.Behaviour.ErrorShape = ErrorShape.InData;
        var inData = await smtp2go.SearchDayAsync(limit: 0);

        Assert.Single(alternating, it => it.Json["error_code"] is null);
        Assert.NotNull(atRoot.Json["error_code"]);
        Assert.NotNull(inData.Data["error_code"]);
    }

    [Theory]
    [InlineData("""{"limit":1001}""", "limit")]
    [InlineData("""{"limit":"100"}""", "limit")]
    [InlineData("""{"event_types":["open"]}""", "event_types")]
    [InlineData("""{"event_types":["opened "]}""", "event_types")]
    [InlineData("""{"start_date":"04/05/2026"}""", "start_date")]
    [InlineData("""{"continue_token":"eyJ"}""", "continue_token")]
    [InlineData("""{"only_latest":true}""", "only_latest")]
    public async Task A_wrong_field_is_named(string body, string field)
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();
        smtp2go.Server.Behaviour.ErrorShape = ErrorShape.InData;

        var asObject = await smtp2go.SearchAsync(JsonNode.Parse(body)!);
        smtp2go.Server.Behaviour.ValidationErrorsAsArray = true;
        var asArray = await smtp2go.SearchAsync(JsonNode.Parse(body)!);

        Assert.Equal(HttpStatusCode.BadRequest, asObject.Status);
        Assert.Equal("E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD", asObject.ErrorCode);
        Assert.Equal(field, (string?)asObject.Data["field_validation_errors"]!["fieldname"]);
        Assert.Equal(field, (string?)asArray.Data["field_validation_errors"]![0]!["fieldname"]);
    }

    [Fact]
    public async Task Faults_come_in_the_order_in_which_they_were_queued()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1));
        smtp2go.Server.Faults.Enqueue(ApiFault.TooManyCalls, calls: 2);
        smtp2go.Server.Faults.Enqueue(ApiFault.Unavailable);
        smtp2go.Server.Faults.Enqueue(ApiFault.Drop);
        smtp2go.Server.Faults.Enqueue(ApiFault.NotJson);
        smtp2go.Server.Faults.Enqueue(ApiFault.Cut);

        Assert.Equal(HttpStatusCode.TooManyRequests, (await smtp2go.SearchDayAsync()).Status);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await smtp2go.SearchDayAsync()).Status);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await smtp2go.SearchDayAsync()).Status);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => smtp2go.SearchDayAsync());
        await Assert.ThrowsAnyAsync<JsonException>(() => smtp2go.SearchDayAsync());
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => smtp2go.SearchDayAsync());
        Assert.Equal(1, (await smtp2go.SearchDayAsync()).Total);
        Assert.Equal([429, 429, 503, 0, 200, 0, 200], smtp2go.Server.Calls.Select(call => call.Status));
    }

    [Fact]
    public async Task A_slow_answer_is_as_slow_as_the_servers_clock()
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync(Smtp2GoClient.Open(1));
        smtp2go.Server.Faults.Enqueue(ApiFault.Slow(TimeSpan.FromHours(1)));

        var answer = smtp2go.SearchDayAsync();
        await Eventually.Get(() => Task.FromResult(smtp2go.Server.Calls.Count), count => count == 1);
        Assert.False(answer.IsCompleted);
        while (!answer.IsCompleted)
        {
            smtp2go.Clock.Advance(TimeSpan.FromHours(1));
            await Task.Delay(10, Test.Token);
        }

        Assert.Equal(1, (await answer).Total);
    }

    [Fact]
    public async Task A_share_of_calls_goes_wrong_by_a_seed()
    {
        var runs = new List<IEnumerable<int>>();
        for (var run = 0; run < 2; run++)
        {
            await using var smtp2go = await Smtp2GoClient.StartAsync();
            smtp2go.Server.Faults.Randomly(seed: 7, share: 0.3, ApiFault.ServerError, ApiFault.Unavailable);
            for (var i = 0; i < 50; i++)
            {
                await smtp2go.SearchDayAsync();
            }

            runs.Add(smtp2go.Server.Calls.Select(call => call.Status));
        }

        Assert.Equal(runs[0], runs[1]);
        Assert.InRange(runs[0].Count(status => status >= 500), 5, 25);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_webhook_is_read_back_without_the_events_that_nobody_knows(bool asObject)
    {
        await using var smtp2go = await Smtp2GoClient.StartAsync();
        smtp2go.Server.Behaviour.WebhookViewAsObject = asObject;
        smtp2go.Account.AddWebhook(new Smtp2GoWebhook(new Uri("https://user:secret@app.example.com/webhook/smtp2go"))
        {
            Events = ["open", "opened", "bounce"],
            Headers = ["X-Campaign"],
            OutputFormat = "json",
        });

        var answer = await smtp2go.PostAsync("/webhook/view", new { });

        var webhook = asObject ? answer.Data : Assert.Single(answer.Data.AsArray())!;
        Assert.Equal(["open", "bounce"], webhook["events"]!.AsArray().Select(it => (string)it!));
        Assert.Equal("https://user:secret@app.example.com/webhook/smtp2go", (string?)webhook["url"]);
        Assert.Equal("json", (string?)webhook["output_format"]);
        Assert.Equal(1, (int)webhook["id"]!);
    }
}
