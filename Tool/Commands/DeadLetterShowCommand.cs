using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;
using Spectre.Console;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterShowCommand
{
    private const int LargestPartOfNames = 2;

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static Command Create(CommandContext context)
    {
        var command = new Command("show", "Shows one dead letter with its whole body: made readable, or exactly as it is with --json.");
        var selection = new DeadLetterSelection(command, isOne: true);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var key = (await selection.KeysAsync(context, parsed, cancellationToken))[0];
            var blobs = new WebhookBlobs(context.Blobs(parsed));
            if (await DeadLetterQueries.ReadAsync(context.Tables(parsed), blobs, key, cancellationToken) is not { } letter)
            {
                return await context.NothingFoundAsync(DeadLetterSelection.NothingFound);
            }

            letter["Id"] = key.Id;
            await (context.IsJson(parsed)
                ? context.Output.WriteJsonAsync(letter, cancellationToken)
                : context.WriteLinesAsync(Lines(context, letter), cancellationToken));
            return ExitCode.Done;
        });
        return command;
    }

    private static IEnumerable<string> Lines(CommandContext context, TableEntity letter)
    {
        var columns = letter.Where(column => column.Key is not ("odata.etag" or ColumnNames.Body) && column.Value is not null);
        return
        [
            .. context.Lines([.. columns.Select(column => (Cell[])[Cell.Key(column.Key), Cell.Text(JsonLines.ToText(column.Value))])]),
            string.Empty,
            .. letter.GetString(ColumnNames.Body) is { } body ? BodyLines(context, body) : ["The body is gone."],
        ];
    }

    // JSON is indented, a form has one field to a line, anything else goes line by line. Nothing in it can steer the terminal.
    private static IEnumerable<string> BodyLines(CommandContext context, string body)
    {
        var text = Reindented(body) ?? body;
        return text == body && body.Contains('=', StringComparison.Ordinal) && !body.AsSpan().ContainsAny(" \r\n{<")
            ? FieldLines(context, [.. body.Split('&').Select(Field)])
            : text.Split('\n').SelectMany(line => Wrapped(context, PlainText.Of(line.TrimEnd('\r'))));
    }

    // A name may be as long as its sender likes.
    private static IEnumerable<string> FieldLines(CommandContext context, FormField[] fields) =>
        context.Width == TextLayout.Unlimited || fields.All(field => field.Name.GetCellWidth() <= context.Width / LargestPartOfNames)
            ? context.Lines([.. fields.Select(field => (Cell[])[Cell.Key(field.Name), Cell.Text(field.Value)])])
            : fields.SelectMany(field => Wrapped(context, $"{field.Name} = {field.Value}"));

    // What does not fit goes on below, indented as far as the line is.
    private static IEnumerable<string> Wrapped(CommandContext context, string line)
    {
        if (line.GetCellWidth() <= context.Width)
        {
            return [line];
        }

        var text = line.TrimStart();
        var indent = new string(' ', Math.Min(line.Length - text.Length, context.Width / LargestPartOfNames));
        return TextLayout.Wrap(text, context.Width - indent.Length).Select(piece => indent + piece);
    }

    private static FormField Field(string pair) => pair.Split('=', 2) is [var name, var value]
        ? new FormField(Decoded(name), Decoded(value))
        : new FormField(Decoded(pair), string.Empty);

    private static string Decoded(string text) => PlainText.Of(Uri.UnescapeDataString(text.Replace('+', ' ')));

    private static string? Reindented(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return JsonSerializer.Serialize(json.RootElement, Indented);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private sealed record FormField(string Name, string Value);
}
