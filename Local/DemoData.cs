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
    public DateTimeOffset TimeOfSamples(DateTimeOffset now)
    {
        var file = Path.Combine(folder, "samples-from");
        if (File.Exists(file)
            && DateTimeOffset.TryParse(
                File.ReadAllText(file), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var earlier))
        {
            return earlier;
        }

        File.WriteAllText(file, now.ToString("O", CultureInfo.InvariantCulture));
        return now;
    }

    public void Dispose()
    {
        inUse?.Dispose();
        if (!IsKept)
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
