using System.Globalization;
using Smtp2GoIngest.Lab;

namespace Smtp2GoIngest.Local;

/// <summary>The folder in which one demo at a time keeps its data from one start to the next.</summary>
internal sealed class DemoData : IDisposable
{
    private const int MaxDeleteTries = 50;
    private static readonly TimeSpan DeletePause = TimeSpan.FromMilliseconds(100);

    private readonly string folder;
    private readonly FileStream? inUse;

    private DemoData(string folder, FileStream? inUse) => (this.folder, this.inUse) = (folder, inUse);

    /// <summary>False if another demo is using the folder: then the data is somewhere else, and is deleted at the end.</summary>
    public bool IsKept => inUse is not null;

    public string StorageFolder => Path.Combine(folder, "azurite");

    public bool HasSamples
    {
        get => File.Exists(Path.Combine(folder, "samples-stored"));
        set => File.WriteAllText(Path.Combine(folder, "samples-stored"), string.Empty);
    }

    /// <summary>How many events of the day's mail never arrived; null until the others are stored.</summary>
    public int? LostEvents
    {
        get => Read("smtp2go-lost") is { } text && int.TryParse(text, CultureInfo.InvariantCulture, out var count) ? count : null;
        set => File.WriteAllText(Path.Combine(folder, "smtp2go-lost"), value?.ToString(CultureInfo.InvariantCulture));
    }

    /// <param name="fresh">Deletes what earlier demos left in the folder.</param>
    public static DemoData Open(string folder, bool fresh)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(folder)!);
        if (FileLock.TryOpen($"{folder}.lock") is not { } inUse)
        {
            return new DemoData(Directory.CreateTempSubdirectory("smtp2go-ingest-demo-").FullName, inUse: null);
        }

        if (fresh)
        {
            Delete(folder);
        }

        Directory.CreateDirectory(folder);
        return new DemoData(folder, inUse);
    }

    // For seconds after a demo was killed, its Azurite still writes its data.
    private static void Delete(string folder)
    {
        for (var tries = 1; Directory.Exists(folder); tries++)
        {
            try
            {
                Directory.Delete(folder, recursive: true);
            }
            catch (IOException) when (tries < MaxDeleteTries)
            {
                Thread.Sleep(DeletePause);
            }
        }
    }

    /// <summary>When the samples were made: a start that was cut short posts the very same events again.</summary>
    public DateTimeOffset TimeOfSamples(DateTimeOffset now) => FirstTime("samples-from", now);

    /// <summary>When the day's mail ended: so each start has the very same mail.</summary>
    public DateTimeOffset EndOfMail(DateTimeOffset now) => FirstTime("smtp2go-until", now);

    private DateTimeOffset FirstTime(string name, DateTimeOffset now)
    {
        if (Read(name) is { } text
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var earlier))
        {
            return earlier;
        }

        File.WriteAllText(Path.Combine(folder, name), now.ToString("O", CultureInfo.InvariantCulture));
        return now;
    }

    private string? Read(string name) =>
        Path.Combine(folder, name) is var file && File.Exists(file) ? File.ReadAllText(file) : null;

    public void Dispose()
    {
        inUse?.Dispose();
        if (!IsKept)
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
