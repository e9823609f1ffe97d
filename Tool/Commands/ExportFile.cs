using System.Text;
using System.Text.Json;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What a file will contain. Only the same request continues an unfinished one.</summary>
internal sealed record ExportRequest(string Account, string Format, bool IsExact, string First, string Last);

/// <summary>
/// A file that appears under its name only when it is complete. Until then it is <c>.part</c>, and <c>.part.json</c> says where
/// its whole days end. Anything after that, left by a crash at any moment, is cut off and written again.
/// </summary>
internal sealed class ExportFile : IAsyncDisposable
{
    private readonly string path;
    private readonly ExportRequest request;
    private readonly FileStream part;

    /// <summary>Opens a new file, or one that the same request has begun.</summary>
    /// <exception cref="IOException">It cannot be written, or somebody else is writing it.</exception>
    public ExportFile(string path, ExportRequest request)
    {
        (this.path, this.request) = (path, request);

        // Opened first: as long as it is open, nobody else can continue it.
        part = new FileStream(PartPath, FileMode.OpenOrCreate, FileAccess.Write, FileShare.None);
        Kept = ReadState() is { } state && state.Request == request && state.Length <= part.Length ? state : null;
        if (Kept is null)
        {
            // Before anything else is written: it must never match another file's content.
            File.Delete(StatePath);
        }

        part.SetLength(Kept?.Length ?? 0);
        part.Seek(0, SeekOrigin.End);
        Output = new StreamWriter(part, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), leaveOpen: true) { NewLine = "\n" };
    }

    public TextWriter Output { get; }

    /// <summary>What an interrupted export can continue from; null if there is nothing yet.</summary>
    public ExportState? Kept { get; private set; }

    private string PartPath => path + ".part";

    private string StatePath => PartPath + ".json";

    /// <summary>Records that all days before this one are whole.</summary>
    public async Task KeepAsync(string nextDay, long events, CancellationToken cancellationToken)
    {
        await Output.FlushAsync(cancellationToken);
        part.Flush(flushToDisk: true);
        var state = new ExportState(request, nextDay, part.Position, events);
        await File.WriteAllTextAsync(StatePath + ".new", JsonSerializer.Serialize(state), cancellationToken);
        File.Move(StatePath + ".new", StatePath, overwrite: true);
        Kept = state;
    }

    /// <summary>The file is complete: gives it its name, and replaces any file that has it.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await Output.FlushAsync(cancellationToken);
        part.Flush(flushToDisk: true);
        await part.DisposeAsync();
        File.Move(PartPath, path, overwrite: true);
        File.Delete(StatePath);
    }

    /// <summary>Leaves no trace if there is nothing to continue from.</summary>
    public async ValueTask DisposeAsync()
    {
        // The writer is not closed: that would write what it still holds.
        await part.DisposeAsync();
        if (Kept is null)
        {
            File.Delete(PartPath);
            File.Delete(StatePath);
        }
    }

    private ExportState? ReadState()
    {
        try
        {
            return JsonSerializer.Deserialize<ExportState>(File.ReadAllText(StatePath));
        }
        catch (Exception e) when (e is FileNotFoundException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>How far an export has come.</summary>
/// <param name="Next">The first day that is not in the file.</param>
/// <param name="Length">The length of the file in bytes, with all days before that one.</param>
internal sealed record ExportState(ExportRequest Request, string Next, long Length, long Events);
