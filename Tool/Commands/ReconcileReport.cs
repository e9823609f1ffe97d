using System.Text.Json;
using System.Text.Json.Nodes;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>Draws what a reconciliation found: the missing events, the books, and one sentence.</summary>
internal static class ReconcileReport
{
    /// <summary>An event as a program needs it: the fields that a webhook would have.</summary>
    public static JsonObject ToJson(MissingEvent missing) =>
        JsonNode.Parse(FilledIn.Body(missing.Event, missing.Group, missing.Id, missing.Recipients))!.AsObject();

    /// <summary>The last document: only this one has <c>from</c>.</summary>
    public static JsonObject ToJson(ReconcileResult result)
    {
        var books = result.Books;
        return new JsonObject(
        [
            Field("from", JsonLines.ToText(result.From)),
            Field("until", JsonLines.ToText(result.Until)),
            Field("complete", result.IsComplete),
            Field("applied", result.IsApplied),
            .. FieldsOf(books.Total),
            Field("filledIn", books.FilledIn),
            Field("superseded", books.Superseded),
            Field("removed", books.Removed),
            Field("notComparable", new JsonObject(Enum.GetValues<NotComparable>().Select(reason =>
                Field(JsonNamingPolicy.CamelCase.ConvertName(reason.ToString()), books.NotComparable.GetValueOrDefault(reason))))),
            Field("unread", new JsonArray([.. books.Unread.Select(hour => (JsonNode)JsonLines.ToText(hour))])),
            Field("kinds", new JsonArray([.. InOrder(books).Select(it => new JsonObject(
                [Field("event", it.Kind.Event), Field("bounce", it.Kind.Bounce), .. FieldsOf(it.Books)]))])),
        ]);
    }

    public static IEnumerable<string> Lines(
        CommandContext context, TimeText times, ReconcileResult result, IReadOnlyList<MissingEvent> first)
    {
        var (books, more) = (result.Books, result.Books.Total.Missing - first.Count);
        Cell[][] figures =
        [
            .. Figures(result)
                .Where(it => it.Count > 0)
                .Select(it => (Cell[])[Cell.Key(it.Text), Cell.Number(PlainText.Number(it.Count))]),
        ];
        return
        [
            .. EventList.Lines(context, times, first),
            .. more > 0 ? [$"… and {PlainText.Number(more)} more"] : (string[])[],
            .. first.Count > 0 ? [string.Empty] : (string[])[],
            ReconcileSpan.ToText(result.From, result.Until),
            .. Table(context, books),
            .. figures.Length > 0 ? [string.Empty, .. context.Lines(figures)] : (string[])[],
            .. Notes(result).SelectMany(note => (string[])[string.Empty, .. context.Lines([[Cell.Text(note)]])]),
        ];
    }

    private static IEnumerable<string> Table(CommandContext context, ReconcileBooks books)
    {
        Cell[][] rows =
        [
            .. InOrder(books).Select(it => Row(it.Kind.ToString(), it.Books)),
            Row("Total", books.Total),
        ];
        return context.Lines(rows, ["Event", "In SMTP2GO", "Stored", "Missing", "Surplus"]);

        static Cell[] Row(string name, KindBooks books) =>
        [
            Cell.Key(name), Cell.Number(PlainText.Number(books.InSmtp2Go)), Cell.Number(PlainText.Number(books.Stored)),
            Cell.Number(PlainText.Number(books.Missing)), Cell.Number(PlainText.Number(books.Surplus)),
        ];
    }

    private static IEnumerable<(string Text, long Count)> Figures(ReconcileResult result)
    {
        yield return ("Filled in", result.Books.FilledIn);
        yield return ("Filled in earlier, now removed: the webhook came", result.Books.Removed);
        yield return ("Filled in earlier, to be removed: the webhook came", result.Books.Superseded - result.Books.Removed);
        foreach (var (reason, count) in result.Books.NotComparable.OrderBy(it => it.Key))
        {
            yield return ($"Not compared: {WordsOf(reason)}", count);
        }
    }

    private static IEnumerable<string> Notes(ReconcileResult result)
    {
        var books = result.Books;
        if (books.Total.Surplus > 0)
        {
            yield return "Surplus: stored but not in SMTP2GO, which keeps events for 5 or 30 days unless you buy more.";
        }

        if (result.ListedSince is { } since)
        {
            yield return $"SMTP2GO lists nothing before {ReconcileSpan.ToText(since)}: events stored before that were not compared.";
        }

        if (books.Unread.Count > 0)
        {
            yield return "Not read, because SMTP2GO listed these hours differently each time: "
                + string.Join(", ", books.Unread.Select(ReconcileSpan.ToText)) + ".";
        }
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> FieldsOf(KindBooks books) =>
    [
        Field("inSmtp2Go", books.InSmtp2Go),
        Field("stored", books.Stored),
        Field("matched", books.Matched),
        Field("missing", books.Missing),
        Field("surplus", books.Surplus),
    ];

    private static KeyValuePair<string, JsonNode?> Field(string name, JsonNode? value) => new(name, value);

    private static IEnumerable<(EventKind Kind, KindBooks Books)> InOrder(ReconcileBooks books) =>
        EventKind.All.Where(books.Kinds.ContainsKey).Select(kind => (kind, books.Kinds[kind]));

    private static string WordsOf(NotComparable reason) => reason switch
    {
        NotComparable.TestEvent => "from SMTP2GO's test button",
        NotComparable.NoEmailId => "stored without an email_id",
        NotComparable.NoEmailIdInSmtp2Go => "in SMTP2GO without an email_id",
        NotComparable.NoRecipient => "without a recipient",
        NotComparable.Sms => "SMS",
        _ => "not known to this version",
    };
}
