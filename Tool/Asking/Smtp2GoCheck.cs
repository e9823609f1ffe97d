using System.Runtime.CompilerServices;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Does SMTP2GO accept the key, and does it send its webhooks to the app, all of them?</summary>
/// <param name="expected">The app's own URL; null if any app like this one will do.</param>
/// <remarks>It only looks: its two calls change nothing at SMTP2GO.</remarks>
internal sealed class Smtp2GoCheck(Smtp2GoClient smtp2Go, Smtp2GoAnswers answers, WebhookUrl? expected, TimeProvider time)
{
    private const string Connection = "smtp2go connection";
    private const string Permissions = "smtp2go permissions";
    private const string Webhooks = "smtp2go webhook";

    private const string Search = "/activity/search";
    private const string View = "/webhook/view";

    // Every key may ask for its permissions.
    private static readonly string[] Needed = [Search, View];
    private static readonly string[] Harmless = [Search, View, "/api_keys/permissions"];

    // For each of two calls. The client itself would try for many minutes.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(15);

    /// <summary>Ends after what was not reached or not permitted.</summary>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (permissions, refused) = await TryAsync(smtp2Go.PermissionsAsync, cancellationToken);
        if (permissions is null)
        {
            yield return new Finding(Connection, false, refused);
            yield break;
        }

        yield return new Finding(Connection, true, "SMTP2GO accepts the key");
        string[] paths = [.. permissions.Select(PathOf).Distinct()];
        yield return OfPermissions(paths);
        if (!paths.Contains(View))
        {
            yield break;
        }

        var (webhooks, unseen) = await TryAsync(smtp2Go.ViewWebhooksAsync, cancellationToken);
        foreach (var finding in webhooks is null ? [new Finding(Webhooks, false, unseen)] : OfWebhooks(webhooks))
        {
            yield return finding;
        }
    }

    private static string PathOf(string permission) => $"/{permission.Trim().Trim('/')}" is var path
        && path.StartsWith("/v3/", StringComparison.Ordinal) ? path[3..] : path;

    private static Finding OfPermissions(string[] paths)
    {
        var missing = Needed.Except(paths).ToList();
        var others = paths.Except(Harmless).Count();
        return missing.Count > 0
            ? new Finding(Permissions, false, $"missing: {string.Join(" and ", missing)}. Give them to the key in SMTP2GO.")
            : new Finding(Permissions, true, string.Join(", ", Needed)
                + (others == 0 ? string.Empty : $" and {PlainText.Count(others, "other")}: a key without those would be safer"));
    }

    private IEnumerable<Finding> OfWebhooks(IReadOnlyList<Smtp2GoWebhook> webhooks)
    {
        var apps = webhooks
            .Select(webhook => WebhookUrl.Of(webhook.Url) is { } url ? new OurWebhook(webhook, url) : null)
            .OfType<OurWebhook>()
            .Where(it => expected is null || it.Url.Place == expected.Place)
            .GroupBy(it => it.Url.Place)
            .ToList();
        if (apps.Count == 0)
        {
            yield return new Finding(Webhooks, false, NoneOf(webhooks));
        }

        foreach (var (i, app) in apps.Index())
        {
            foreach (var (what, ok, detail) in WebhookCheck.Of([.. app]))
            {
                yield return new Finding($"smtp2go {what}{(apps.Count > 1 ? $" {i + 1}" : string.Empty)}", ok, detail);
            }
        }
    }

    private string NoneOf(IReadOnlyList<Smtp2GoWebhook> webhooks)
    {
        var wanted = expected?.Shown ?? "a URL that ends in /webhook/smtp2go";
        var hosts = webhooks.Select(WebhookUrl.HostOf).Distinct().ToList();
        return webhooks.Count == 0
            ? $"SMTP2GO has no webhook. Add one with {wanted}."
            : $"none goes to {wanted}. The account's webhooks go to {string.Join(", ", hosts)}"
                + (expected is null || !hosts.Contains(expected.Host) ? "." : ", to another path there.");
    }

    private async Task<(T? Answer, string Problem)> TryAsync<T>(
        Func<CancellationToken, Task<T>> call, CancellationToken cancellationToken)
        where T : class
    {
        using var limit = new CancellationTokenSource(Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return (await call(either.Token), string.Empty);
        }
        catch (Smtp2GoException e)
        {
            return (null, e.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"{answers.Trouble ?? "SMTP2GO does not answer"}. Check Smtp2Go__ApiUrl, and try again in a few minutes.");
        }
    }
}
