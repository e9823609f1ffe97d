namespace Smtp2GoIngest.Lab;

/// <summary>A file that only one process at a time can have open.</summary>
public static class FileLock
{
    // ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION on Windows, EWOULDBLOCK on Linux and on macOS.
    private static readonly int[] Taken = [unchecked((int)0x80070020), unchecked((int)0x80070021), 11, 35];

    /// <summary>The open file; null if somebody else has it.</summary>
    /// <exception cref="IOException">It cannot be opened for another reason, such as a full disk.</exception>
    public static FileStream? TryOpen(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (Taken.Contains(e.HResult))
        {
            return null;
        }
    }
}
