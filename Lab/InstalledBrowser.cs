namespace Smtp2GoIngest.Lab;

/// <summary>A browser of this machine that tests and measurements can drive: Chromium, Chrome or Edge, where installers put them.</summary>
public static class InstalledBrowser
{
    public const string Missing =
        "No Chromium, Chrome or Edge was found. Install one (on Debian and Ubuntu: apt-get install chromium), "
        + "or name its program in the environment variable CHROMIUM.";

    private static readonly string[] Names =
        ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "microsoft-edge-stable"];

    private static readonly string[] MacPlaces =
    [
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ];

    private static readonly string[] WindowsPlaces =
        [@"Google\Chrome\Application\chrome.exe", @"Chromium\Application\chrome.exe", @"Microsoft\Edge\Application\msedge.exe"];

    /// <summary>The path of its program; null if there is none.</summary>
    public static string? Find() => Environment.GetEnvironmentVariable("CHROMIUM") is { Length: > 0 } named
        ? named
        : Places().FirstOrDefault(File.Exists);

    private static string[] Places()
    {
        if (OperatingSystem.IsMacOS())
        {
            return MacPlaces;
        }

        if (OperatingSystem.IsWindows())
        {
            return [.. from variable in (string[])["ProgramFiles", "ProgramFiles(x86)", "LocalAppData"]
                       let folder = Environment.GetEnvironmentVariable(variable)
                       where folder is not null
                       from place in WindowsPlaces
                       select Path.Combine(folder, place)];
        }

        return [.. from folder in (Environment.GetEnvironmentVariable("PATH") ?? string.Empty).Split(Path.PathSeparator)
                   from name in Names
                   select Path.Combine(folder, name)];
    }
}
