using System.CommandLine;
using System.Text.Encodings.Web;
using System.Text.Json;
using Azure.Data.Tables;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Commands;

internal static class DeadLetterShowCommand
{
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
            ? context.Lines([.. body.Split('&').Select(Field)])
            : text.Split('\n').Select(line => PlainText.Of(line.TrimEnd('\r')));
    }

    private static Cell[] Field(string pair)
    {
        var (name, value) = pair.Split('=', 2) is [var before, var after] ? (before, after) : (pair, string.Empty);
        return [Cell.Key(Decoded(name)), Cell.Text(Decoded(value))];
    }

    private static string Decoded(string text) => Uri.UnescapeDataString(text.Replace('+', ' '));

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
}
