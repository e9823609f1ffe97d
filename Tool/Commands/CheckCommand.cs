using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class CheckCommand
{
    public static Command Create(CommandContext context)
    {
        var smtp2Go = new Option<bool>("--smtp2go")
        {
            Description = "Also check the webhook as it is set up in SMTP2GO, and what the API key may do. Needs Smtp2Go__ApiKey.",
        };
        var url = new Option<WebhookUrl?>("--url")
        {
            Description = "The app's webhook URL, with or without its password. By default, any URL that ends in /webhook/smtp2go.",
            CustomParser = ParseUrl,
        };
        var command = new Command(
            "check",
            "Checks whether queues, tables and blobs can be reached, and how much is waiting. Changes nothing; exits with 1 on a problem.")
        {
            smtp2Go, url,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(url) is not null && !result.GetValue(smtp2Go))
            {
                result.AddError("--url goes with --smtp2go.");
            }
        });
        command.SetAction(async (parsed, cancellationToken) =>
        {
            if (parsed.GetValue(smtp2Go))
            {
                Smtp2GoSettings.Require(context);
            }

            var check = new AccountCheck(context.Queues(parsed), context.Tables(parsed), context.Blobs(parsed), context.Time);
            var findings = await check.RunAsync(cancellationToken).ToListAsync(cancellationToken);
            if (parsed.GetValue(smtp2Go))
            {
                await using var services = context.Services(parsed, Smtp2GoAnswers.Add);
                var other = new Smtp2GoCheck(
                    services.GetRequiredService<Smtp2GoClient>(),
                    services.GetRequiredService<Smtp2GoAnswers>(),
                    parsed.GetValue(url),
                    context.Time);
                findings.AddRange(await other.RunAsync(cancellationToken).ToListAsync(cancellationToken));
            }

            await (context.IsJson(parsed)
                ? WriteJsonAsync(context, findings, cancellationToken)
                : context.WriteLinesAsync(context.Lines([.. findings.Select(Cells)]), cancellationToken));
            return findings.All(finding => finding.Ok) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static WebhookUrl? ParseUrl(ArgumentResult argument)
    {
        var url = WebhookUrl.Of(argument.Tokens[0].Value);
        if (url is null)
        {
            argument.AddError("--url must be a URL that ends in /webhook/smtp2go, with a password in its path or without.");
        }

        return url;
    }

    private static Cell[] Cells(Finding finding) =>
    [
        finding.Ok ? Cell.Key("ok", Tint.Good) : Cell.Key("problem", Tint.Bad), Cell.Key(finding.Check), Cell.Text(finding.Detail),
    ];

    private static async Task WriteJsonAsync(
        CommandContext context, IEnumerable<Finding> findings, CancellationToken cancellationToken)
    {
        foreach (var finding in findings)
        {
            await context.Output.WriteJsonAsync(ToJson(finding), cancellationToken);
        }
    }

    private static JsonObject ToJson(Finding finding) => new()
    {
        ["check"] = finding.Check,
        ["ok"] = finding.Ok,
        ["detail"] = finding.Detail,
        ["messages"] = finding.Messages,
        ["oldestSeconds"] = finding.OldestSeconds,
        ["deadLetters"] = finding.DeadLetters,
    };
}
