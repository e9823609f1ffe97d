using System.Collections.Concurrent;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Sends test webhooks as SMTP2GO would.</summary>
internal static class SendCommand
{
    private const string DefaultUrl = "http://127.0.0.1:7071/webhook/smtp2go";
    private const string Form = "form";

    // From the sample's first event to its last, so that none is in the future.
    private static readonly TimeSpan SpanOfSample = TimeSpan.FromMinutes(5);

    // SMTP2GO posts several at a time, too.
    private const int MaxParallel = 8;
    private const int MaxCount = 10_000;

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
        var recipient = new Option<string?>("--recipient")
        {
            Description = "The recipient's address; a sample address by default.",
            CustomParser = argument => Given(argument, RecipientAddresses.Unwrap(argument.Tokens[0].Value)),
        };
        var id = new Option<string?>("--id")
        {
            Description = "The event's id. Sent again with the same id on the same day (UTC), it is the same event and is stored once.",
            CustomParser = argument => Given(argument, argument.Tokens[0].Value.Trim()),
        };
        var count = new Option<int>("--count")
        {
            Description = "How many to send, each with ids of its own unless --id is given.",
            DefaultValueFactory = _ => 1,
            CustomParser = argument => ArgumentParsing.ParseNumber(argument, 1, MaxCount),
        };
        var command = new Command("send", "Sends realistic test webhooks, with new ids and times from a few minutes ago.")
        {
            eventName, to, format, user, password, recipient, id, count,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var url = parsed.GetRequiredValue(to);
            var (urlUser, urlPassword) = CredentialsOf(url);
            using var sender = new WebhookSender(
                url,
                parsed.GetValue(user) ?? urlUser ?? context.Settings[$"{WebhookOptions.Section}:{nameof(WebhookOptions.Username)}"],
                parsed.GetValue(password) ?? urlPassword
                    ?? context.Settings[$"{WebhookOptions.Section}:{nameof(WebhookOptions.Password)}"]);
            var times = new ConcurrentBag<TimeSpan>();
            var sending = Parallel.ForEachAsync(
                Enumerable.Range(0, parsed.GetValue(count)),
                new ParallelOptions { MaxDegreeOfParallelism = MaxParallel, CancellationToken = cancellationToken },
                async (_, token) =>
                {
                    var name = parsed.GetRequiredValue(eventName);
                    var sample = Sample(name, context.Time.GetUtcNow(), parsed.GetValue(recipient), parsed.GetValue(id));
                    using var content = parsed.GetValue(format) == Form
                        ? new StringContent(sample.ToForm(), Encoding.UTF8, "application/x-www-form-urlencoded")
                        : new StringContent(sample.ToJson(), Encoding.UTF8, "application/json");
                    var began = context.Time.GetTimestamp();
                    var status = await sender.PostAsync(content, token);
                    times.Add(context.Time.GetElapsedTime(began));
                    var line = context.IsJson(parsed)
                        ? JsonLines.ToText(new JsonObject { ["event"] = name, ["emailId"] = IdOf(sample), ["status"] = (int)status })
                        : $"Acknowledged. Once it is stored, this shows it: email {IdOf(sample)}";
                    if (context.IsJson(parsed) || parsed.GetValue(count) == 1)
                    {
                        lock (times)
                        {
                            context.Output.WriteLine(line);
                        }
                    }
                });
            try
            {
                await sending;
            }
            catch (Exception e) when (parsed.GetValue(count) is > 1 and var all
                && ((e as CommandFailedException)?.Message ?? FailureText.Explain(e)) is { } problem)
            {
                var before = $"{PlainText.Number(times.Count)} of {PlainText.Number(all)} were acknowledged.";
                throw new CommandFailedException($"{problem} {before}");
            }

            if (times.Count > 1 && !context.IsJson(parsed))
            {
                await context.WriteLinesAsync([Told(times)], cancellationToken);
            }

            return ExitCode.Done;
        });
        return command;
    }

    private static string? Given(ArgumentResult argument, string text)
    {
        if (text.Length == 0)
        {
            argument.AddError($"{((OptionResult)argument.Parent!).Option.Name} must not be empty.");
        }

        return text;
    }

    private static SampleWebhook Sample(string eventName, DateTimeOffset now, string? recipient, string? id)
    {
        // Everything that tells events apart comes from the id, and the time stays the same all day.
        var digits = id is null
            ? RandomNumberGenerator.GetHexString(16)
            : Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..16];
        var start = id is null ? now - SpanOfSample : new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return SampleWebhook
            .OneOfEach($"{SubmissionTime.ToText(start)}-{digits[..11]}-{digits[11..15]}", start, recipient, id)
            .Single(webhook => webhook.Fields.Contains(new("event", eventName)));
    }

    private static string Told(IReadOnlyCollection<TimeSpan> times)
    {
        double[] ordered = [.. times.Select(time => time.TotalMilliseconds).Order()];
        return FormattableString.Invariant(
            $"Acknowledged {ordered.Length:N0}: half in {At(0.5):0} ms, 95 % in {At(0.95):0} ms, all in {ordered[^1]:0} ms or less.");

        double At(double part) => ordered[(int)Math.Ceiling(part * ordered.Length) - 1];
    }

    private static string IdOf(SampleWebhook sample)
    {
        var fields = sample.Fields.ToDictionary();
        return fields.TryGetValue("email_id", out var id) ? (string)id : $"sms-{fields["message_id"]}";
    }

    private static Uri? ParseUrl(ArgumentResult argument)
    {
        if (!Uri.TryCreate(argument.Tokens[0].Value, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
        {
            argument.AddError("--to must be a URL that begins with https:// or http://.");
            return null;
        }

        if ((url.PathAndQuery + url.Fragment).Contains('@', StringComparison.Ordinal))
        {
            // With a slash in the password, its first part would be taken for the port.
            argument.AddError("--to has an @ after the host: percent-encode the user name and the password (/ is %2F, @ is %40).");
        }

        return url;
    }

    private static (string? User, string? Password) CredentialsOf(Uri url) =>
        url.UserInfo.Split(':', 2) is [var user, var password] ? (Uri.UnescapeDataString(user), Uri.UnescapeDataString(password)) : default;
}
