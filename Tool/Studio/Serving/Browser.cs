using System.ComponentModel;
using System.Diagnostics;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>The browser of whoever sits at this machine.</summary>
internal static class Browser
{
    // Whatever the browser prints is not for this terminal.
    private const string OpenOnDesktop =
        "exec </dev/null >/dev/null 2>&1; command -v setsid && exec setsid xdg-open \"$1\"; exec xdg-open \"$1\"";

    /// <summary>Opens a link in it, if there is one. There is no way to tell whether that worked.</summary>
    public static async Task OpenAsync(Uri link)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Process.Start(new ProcessStartInfo(link.AbsoluteUri) { UseShellExecute = true })?.Dispose();
            }
            else if (OperatingSystem.IsMacOS())
            {
                // By standard input: every user can read the arguments of a process.
                using var script = Process.Start(new ProcessStartInfo("osascript", ["-"])
                {
                    UseShellExecute = false,
                    RedirectStandardInput = true,
                })!;
                await script.StandardInput.WriteLineAsync($"open location \"{link.AbsoluteUri}\"");
                script.StandardInput.Close();
            }
            else if (HasDesktop)
            {
                // Others can read these arguments, but PeerUser keeps them out. In a session of its own, Ctrl+C here does not end a browser
                // that this starts.
                using var opening = Process.Start(new ProcessStartInfo("sh", ["-c", OpenOnDesktop, "sh", link.AbsoluteUri])
                {
                    UseShellExecute = false,
                });
            }
        }
        catch (Exception e) when (e is Win32Exception or IOException or InvalidOperationException)
        {
            // The link is on the terminal as well.
        }
    }

    // Without one, xdg-open would start a text browser in this terminal.
    private static bool HasDesktop =>
        !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("DISPLAY"))
        || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("WAYLAND_DISPLAY"));
}
