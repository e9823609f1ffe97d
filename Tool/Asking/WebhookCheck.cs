using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>A webhook of the account that leads to an app like this one.</summary>
internal sealed record OurWebhook(Smtp2GoWebhook Webhook, WebhookUrl Url);

/// <summary>What is wrong with the webhooks that lead to one app.</summary>
internal static class WebhookCheck
{
    private const string Resubscribe = "resubscribe";

    private static readonly string[] FormatNames = ["form", "json"];
    private static readonly string[] AuthorizationTypes = ["basic", "bearer"];

    /// <summary>A pure function.</summary>
    /// <param name="webhooks">At least one. All have the same host and path.</param>
    /// <returns>What was looked at, and how it is.</returns>
    public static IEnumerable<(string What, bool Ok, string Detail)> Of(IReadOnlyList<OurWebhook> webhooks)
    {
        var shown = webhooks[0].Url.Shown;
        yield return webhooks.All(it => it.Url.IsEncrypted)
            ? ("webhook", true, shown)
            : ("webhook", false, $"{shown}: without https, anybody in between can read the password and the events.");
        if (webhooks.Where((one, i) => webhooks.Take(i).Any(other => Overlap(one.Webhook, other.Webhook))).Any())
        {
            yield return ("twice", false, $"{webhooks.Count} webhooks lead there, so events come twice. They are stored once: keep one.");
        }

        var problems = EventProblems([.. webhooks.SelectMany(it => it.Webhook.Events).Distinct()]).ToList();
        yield return ("events", problems.Count == 0, problems.Count == 0 ? "all nine" : string.Join(' ', problems));

        var formats = webhooks
            .Select(it => it.Webhook.OutputFormat is { Length: > 0 } format ? format : FormatNames[0])
            .Distinct()
            .ToList();
        yield return formats.TrueForAll(FormatNames.Contains)
            ? ("format", true, string.Join(", ", formats))
            : ("format", false, $"{string.Join(", ", formats)} cannot be read by the app: choose form or json.");

        var (isAuthorized, how) = webhooks.Select(Authorization).MinBy(it => it.Ok);
        yield return ("authorization", isAuthorized, how);
        if (webhooks.SelectMany(it => it.Webhook.Headers).FirstOrDefault(header => header.Trim() != header) is { } header)
        {
            yield return ("headers", false, $"'{header}' begins or ends with a space: no email has such a header. Enter it again.");
        }

        if (webhooks.FirstOrDefault(it => it.Webhook.Usernames.Count > 0) is { } filtered)
        {
            yield return ("users", false,
                $"only events of {PlainText.Count(filtered.Webhook.Usernames.Count, "SMTP user")} come; those of others count as missing.");
        }
    }

    // Two may share the work: each has some of the events, or of the users.
    private static bool Overlap(Smtp2GoWebhook one, Smtp2GoWebhook other) =>
        one.Events.Intersect(other.Events).Any()
        && (one.Usernames.Count == 0 || other.Usernames.Count == 0 || one.Usernames.Intersect(other.Usernames).Any());

    private static IEnumerable<string> EventProblems(IReadOnlyList<string> names)
    {
        var missing = EventName.OfEmails.Except(names).ToList();
        foreach (var name in names.Where(name => !EventName.IsKnown(name)))
        {
            var meant = EventName.Normalize(name.Trim().ToLowerInvariant());
            if (missing.Remove(meant))
            {
                yield return $"'{name}' is not an event: write {meant}.";
            }
            else if (!EventName.IsKnown(meant) && missing.Count > 0)
            {
                yield return $"'{name}' is not an event that this version knows.";
            }
        }

        if (missing.Remove(Resubscribe))
        {
            yield return "resubscribe is not selected: tick Unsubscribed/Resubscribed in SMTP2GO's app.";
        }

        if (missing.Count > 0)
        {
            yield return $"Not selected, so they never come: {string.Join(", ", missing)}.";
        }
    }

    private static (bool Ok, string Detail) Authorization(OurWebhook it) =>
        it.Webhook.AuthHeaderType is not { Length: > 0 } type
            ? it.Url.HasSecret
                ? (true, "in the URL")
                : (false, "none: the app refuses every webhook. Put its user name and password into the URL.")
            : AuthorizationTypes.Contains(type) ? (true, type)
            : (false, "of a type that is neither basic nor bearer: the app refuses every webhook.");
}
