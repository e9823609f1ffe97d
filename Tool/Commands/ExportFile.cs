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
    private const int MostLinks = 40;

    private static readonly string[] SystemFolders = ["/dev/std", "/dev/fd/", "/dev/null", "/dev/full", "/dev/zero", "/dev/tty", "/proc/"];

    private readonly string path;
    private readonly ExportRequest request;
    private readonly FileStream part;
    private bool isComplete;

    /// <summary>Opens a new file, or one that the same request has begun.</summary>
    /// <exception cref="CommandFailedException">There is something of that name, but not a file.</exception>
    /// <exception cref="IOException">It cannot be written, or somebody else is writing it.</exception>
    public ExportFile(string path, ExportRequest request)
    {
        (this.path, this.request) = (TargetOf(path), request);

        // Opened first: as long as it is open, nobody else can continue it. Windows moves and deletes an open file only if
        // it is shared so.
        var share = OperatingSystem.IsWindows() ? FileShare.Delete : FileShare.None;
        part = new FileStream(PartPath, FileMode.OpenOrCreate, FileAccess.Write, share);
        if (!File.Exists(PartPath))
        {
            // Between opening and locking, an export that was ending has given this very file its name: it must stay as it is.
            part.Dispose();
            throw new IOException("Another export of this file has just ended. Run the same command again.");
        }

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
    /// <remarks>It is still open and locked then: nobody else can have begun to change it.</remarks>
    public async Task CompleteAsync(CancellationToken cancellationToken)
    {
        await Output.FlushAsync(cancellationToken);
        part.Flush(flushToDisk: true);
        File.Delete(StatePath);
        File.Move(PartPath, path, overwrite: true);
        isComplete = true;
    }

    /// <summary>Leaves no trace if there is nothing to continue from.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Kept is null && !isComplete)
        {
            File.Delete(StatePath);
            File.Delete(PartPath);
        }

        // The writer is not closed: that would write what it still holds.
        await part.DisposeAsync();
    }

    // A link stays, and its target is replaced. A pipe or a device would be replaced by a file.
    private static string TargetOf(string path)
    {
        var target = path;
        ThrowUnlessFile(target);
        for (var links = 0; links < MostLinks && new FileInfo(target).LinkTarget is { } next; links++)
        {
            target = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(target))!, next);
            ThrowUnlessFile(target);
        }

        return target;

        void ThrowUnlessFile(string place)
        {
            if (Directory.Exists(place) || Path.EndsInDirectorySeparator(place) || (File.Exists(place) && !IsFile(place)))
            {
                throw new CommandFailedException($"'{path}' is not a file. For standard output, leave out --output.", ExitCode.WrongUsage);
            }
        }
    }

    private static bool IsFile(string path)
    {
        // /dev/null can seek, and /dev/stdout may lead to a file, but one that is open already.
        if (Path.GetFullPath(path) is var full && SystemFolders.Any(folder => full.StartsWith(folder, StringComparison.Ordinal)))
        {
            return false;
        }

        try
        {
            // For reading too: for writing only, a pipe would wait for a reader.
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            return file.CanSeek;
        }
        catch (FileNotFoundException)
        {
            // A link to a file that does not exist yet.
            return true;
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
