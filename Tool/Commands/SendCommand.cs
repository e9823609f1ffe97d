using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Sends a test webhook as SMTP2GO would.</summary>
internal static class SendCommand
{
    private const string DefaultUrl = "http://127.0.0.1:7071/webhook/smtp2go";
    private const string Form = "form";

    // From the sample's first event to its last, so that none is in the future.
    private static readonly TimeSpan SpanOfSample = TimeSpan.FromMinutes(5);

    // As long as SMTP2GO waits.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private static readonly string[] Names = [.. EventName.OfEmails, "sms_delivered"];

    public static Command Create(CommandContext context)
    {
        var eventName = new Argument<string>("event") { HelpName = "event", Description = $"One of {string.Join(", ", Names)}." };
        eventName.AcceptOnlyFromAmong(Names);
        var to = new Option<Uri>("--to")
        {
            Description = "The app's webhook URL, with user name and password as in SMTP2GO's settings or without.",
            DefaultValueFactory = _ => new Uri(DefaultUrl),
            CustomParser = ParseUrl,
        };
        var format = new Option<string>("--format")
        {
            Description = "SMTP2GO's output format: form or json.",
            DefaultValueFactory = _ => Form,
        };
        format.AcceptOnlyFromAmong(Form, "json");
        var user = new Option<string?>("--user") { Description = "User name; Webhook__Username from the settings by default." };
        var password = new Option<string?>("--password") { Description = "Password; Webhook__Password from the settings by default." };
        var command = new Command("send", "Sends a realistic test webhook with a new email id.")
        {
            eventName, to, format, user, password,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var name = parsed.GetRequiredValue(eventName);
            var emailId = $"1w{RandomNumberGenerator.GetHexString(4)}-{RandomNumberGenerator.GetHexString(12)}";
            var sample = SampleWebhook
                .OneOfEach(emailId, context.Time.GetUtcNow() - SpanOfSample)
                .Single(webhook => webhook.Fields.Contains(new("event", name)));
            var (urlUser, urlPassword) = CredentialsOf(parsed.GetRequiredValue(to));
            var credentials = (
                parsed.GetValue(user) ?? urlUser ?? context.Settings[$"{WebhookOptions.Section}:{nameof(WebhookOptions.Username)}"],
                parsed.GetValue(password) ?? urlPassword
                    ?? context.Settings[$"{WebhookOptions.Section}:{nameof(WebhookOptions.Password)}"]);
            using var content = parsed.GetValue(format) == Form
                ? new StringContent(sample.ToForm(), Encoding.UTF8, "application/x-www-form-urlencoded")
                : new StringContent(sample.ToJson(), Encoding.UTF8, "application/json");
            var status = await PostAsync(parsed.GetRequiredValue(to), content, credentials, cancellationToken);
            if ((int)status is < 200 or > 299)
            {
                throw new CommandFailedException(Refused(status));
            }

            var id = IdOf(sample);
            await (context.IsJson(parsed)
                ? context.Output.WriteJsonAsync(
                    new JsonObject { ["event"] = name, ["emailId"] = id, ["status"] = (int)status }, cancellationToken)
                : context.Output.WriteLineAsync(
                    $"Acknowledged. To see it once it is stored: smtp2go-ingest email {id}".AsMemory(), cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static string IdOf(SampleWebhook sample)
    {
        var fields = sample.Fields.ToDictionary();
        return fields.TryGetValue("email_id", out var id) ? (string)id : $"sms-{fields["message_id"]}";
    }

    private static Uri? ParseUrl(ArgumentResult argument)
    {
        if (Uri.TryCreate(argument.Tokens[0].Value, UriKind.Absolute, out var url) && url.Scheme is "http" or "https")
        {
            return url;
        }

        argument.AddError("--to must be a URL that begins with https:// or http://.");
        return null;
    }

    private static (string? User, string? Password) CredentialsOf(Uri url) =>
        url.UserInfo.Split(':', 2) is [var user, var password] ? (Uri.UnescapeDataString(user), Uri.UnescapeDataString(password)) : default;

    private static async Task<HttpStatusCode> PostAsync(
        Uri url, HttpContent content, (string? User, string? Password) credentials, CancellationToken cancellationToken)
    {
        // SMTP2GO follows no redirect, and a password should not either.
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { Timeout = Timeout };
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = content };
        if (credentials.Password is { Length: > 0 })
        {
            var pair = $"{credentials.User}:{credentials.Password}";
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(pair)));
        }

        try
        {
            using var answer = await client.SendAsync(request, cancellationToken);
            return answer.StatusCode;
        }
        catch (Exception e)
            when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new CommandFailedException(
                $"Nobody answered at {url.Scheme}://{url.Authority}. Start the app, or give its webhook URL with --to.");
        }
    }

    private static string Refused(HttpStatusCode status) => $"The app answered {(int)status}: " + status switch
    {
        HttpStatusCode.Unauthorized =>
            "give its user name and password in the URL, with --user and --password, or as Webhook__Username and Webhook__Password.",
        HttpStatusCode.Forbidden => "this machine is not one of its Webhook__AllowedSources.",
        HttpStatusCode.NotFound => "the URL ends in /webhook/smtp2go.",
        HttpStatusCode.ServiceUnavailable => "it cannot reach its storage; try `smtp2go-ingest check`.",
        _ => "check the URL given with --to.",
    };
}
