using System.Diagnostics;
using System.Globalization;

namespace Smtp2GoIngest.Perf.Chaos;

/// <summary>What happened when, to compare a failure with.</summary>
internal static class Journal
{
    private static readonly long Start = Stopwatch.GetTimestamp();

    public static TimeSpan Now => Stopwatch.GetElapsedTime(Start);

    public static void Note(string what) =>
        Console.WriteLine(
            string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {Now.TotalSeconds,6:0.0} s  {what}"));
}
