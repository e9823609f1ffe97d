using System.Text;
using Azure;
using Azure.Core;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.SelfHost;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.EndToEnd;

/// <summary>Nothing that the app emits contains a secret, the webhook URL's query string, a body or an address.</summary>
public sealed class SilenceTests(AzuriteFixture azurite)
{
    private const string Marker = "needle7331";
    private const string Right = "right-secret-" + Marker;
    private const string Previous = "older-secret-" + Marker;
    private const string Wrong = "wrong-secret-" + Marker;
    private const string Body = $"event=open&email_id=id-{Marker}&rcpt={Marker}@x.example&message={Marker}";
    private const string Bounce =
        $"event=bounce&bounce=hard&email_id=id-{Marker}&rcpt={Marker}@x.example&message=550 5.1.1 {Marker}&time=2026-05-02T11:20:31Z";

    [Fact]
    public async Task No_refusal_and_no_failure_says_what_it_must_not()
    {
        using var emitted = new Emitted();
        var answers = new StringBuilder();
        var account = azurite.NewAccount();
        var settings = new Dictionary<string, string?>
        {
            ["Webhook:Password"] = Right,
            ["Webhook:PreviousPassword"] = Previous,
            ["Webhook:EnqueueTimeout"] = "00:00:01",
            ["Webhook:MaxBodyBytes"] = "4096",
        };
        var isFolding = true;
        var folds = 0;
        var fail = StorageFault.InTables(account, request => StorageFault.BodyOf(request) switch
        {
            _ when IsFold(request) && ++folds > 0 && !isFolding =>
                new RequestFailedException(400, $"{request.Uri}", "InvalidInput", null),
            var row when row.Contains("refuse", StringComparison.Ordinal) =>
                new RequestFailedException(400, $"row {Marker}", "InvalidInput", null),
            var row when row.Contains("crash", StringComparison.Ordinal) => throw new InvalidOperationException($"row {Marker}"),
            _ => null,
        });
        await using (var app = await IngestApp.StartAsync(account, settings, services =>
        {
            fail(services);
            emitted.AddTo(services);
            services.AddSingleton(new QueueTriggerOptions { MaxDequeueCount = 3 });
        }))
        {
            string[] targets =
            [
                "webhook/smtp2go",
                $"webhook/smtp2go?p={Right}",
                $"webhook/smtp2go?p={Wrong}",
                $"webhook/smtp2go_{Right}",
                $"webhook/smtp2go_{Previous}",
                $"webhook/smtp2go_{Wrong}",
                $"webhook/smtp2go_{Wrong}/more",
                $"webhook/{Wrong}",
                $"smtp2go_{Right}",
                $"webhook/smtp2go_%6e{Wrong}?x={Wrong}",
            ];
            string?[] bodies =
            [
                Body,
                $"{{\"{Marker}\":",
                $"[\"{Marker}\"]",
                Marker,
                null,
                new string('x', 5000) + Marker,
                $"a={Marker}",
                Body + "&x=refuse",
                Body + "&y=1",
            ];
            foreach (var target in targets)
            {
                foreach (var method in new[] { "GET", "POST", "PUT" })
                {
                    foreach (var body in method == "POST" ? bodies : [null])
                    {
                        answers.Append(await SendAsync(app, method, target, body, null));
                    }
                }
            }

            foreach (var authorization in new[]
                {
                    $"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes($"smtp2go:{Wrong}"))}",
                    $"Bearer {Wrong}",
                    $"Bearer {Right}",
                    $"Digest {Wrong}",
                })
            {
                answers.Append(await SendAsync(app, "POST", "webhook/smtp2go", Body, authorization));
            }

            // Requests about a recipient have the address in their path and in their filter.
            await app.Queue.CreateIfNotExistsAsync(cancellationToken: Test.Token);
            answers.Append(await SendAsync(app, "POST", $"webhook/smtp2go_{Right}", Bounce, null));
            await app.DrainedAsync();
            Assert.NotEqual(0, folds);
            isFolding = false;
            answers.Append(await SendAsync(app, "POST", $"webhook/smtp2go_{Right}", Bounce + "&id=2", null));
            await app.DrainedAsync();
            Assert.NotNull(await Record.ExceptionAsync(() => CountAsync(app)));
            isFolding = true;
            await CountAsync(app);

            await app.Queue.SendMessageAsync($"no envelope {Marker}", Test.Token);
            await app.DrainedAsync();
            answers.Append(await SendAsync(app, "POST", $"webhook/smtp2go_{Right}", Body + "&x=crash", null));
            await Eventually.Get(
                () => Task.FromResult(emitted.Lines.Count(line => line.Contains("InvalidOperationException", StringComparison.Ordinal))),
                count => count > 0);
        }

        foreach (var broken in new Dictionary<string, string?>[]
            {
                new() { ["Webhook:AllowedSources"] = "192.0.2.1" },
                new() { ["Webhook:AllowedSources"] = "unknown.example", ["Webhook:TrustedProxies"] = "1" },
            })
        {
            await using var app = await IngestApp.StartAsync(account, settings.Concat(broken).ToDictionary(), services =>
            {
                emitted.AddTo(services);
                services.AddSingleton<ResolveHost>((_, _) => throw new System.Net.Sockets.SocketException());
            });
            answers.Append(await SendAsync(app, "POST", $"webhook/smtp2go_{Right}", Body, null));
        }

        await using (
            var app = await IngestApp.StartAsync(
                "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
                + "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a;",
                settings,
                emitted.AddTo))
        {
            answers.Append(await SendAsync(app, "POST", $"webhook/smtp2go_{Right}", Body, null));
        }

        // What was emitted is what the test needs: every kind of answer, logs, spans and measurements.
        Assert.All(
            ["200 ", "400 ", "401 ", "403 ", "404 ", "405 ", "413 ", "503 "],
            status => Assert.Contains(status, answers.ToString(), StringComparison.Ordinal));
        Assert.All(
            [
                "log Warning 100",
                "log Warning 300",
                "log Warning 310",
                "log Error 10",
                "span Smtp2GoIngest",
                "span Microsoft.AspNetCore",
                "metric Smtp2GoIngest webhooks.refused",
            ],
            kind => Assert.Contains(emitted.Lines, line => line.StartsWith(kind, StringComparison.Ordinal)));

        Assert.DoesNotContain(Marker, answers.ToString(), StringComparison.OrdinalIgnoreCase);
        Assert.All(
            emitted.Lines,
            line =>
            {
                Assert.DoesNotContain(Marker, line, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain(
                    Convert.ToBase64String(Encoding.UTF8.GetBytes($"smtp2go:{Wrong}"))[..20], line, StringComparison.Ordinal);
                Assert.DoesNotContain("?p=", line, StringComparison.Ordinal);
                Assert.DoesNotContain("203.0.113.9", line, StringComparison.Ordinal);
            });
    }

    private static Task CountAsync(IngestApp app) => app.Services.GetRequiredService<DayCounting>().CountDueAsync(Test.Token);

    private static bool IsFold(Request request) =>
        request.Uri.Path.Contains(EventIndex.ByRecipientTable, StringComparison.Ordinal)
        && Uri.UnescapeDataString(request.Uri.Query).Contains($"PartitionKey eq '{Marker}@x.example'", StringComparison.Ordinal);

    private static async Task<string> SendAsync(IngestApp app, string method, string target, string? body, string? authorization)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), target);
        request.Content = body is null ? null : new StringContent(body);
        request.Headers.TryAddWithoutValidation("Authorization", authorization);
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", "203.0.113.9");
        using var answer = await app.Client.SendAsync(request, Test.Token);
        return $"{(int)answer.StatusCode} {answer.Headers} {await answer.Content.ReadAsStringAsync(Test.Token)}\n";
    }
}
