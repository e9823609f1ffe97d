namespace Smtp2GoIngest.Tests;

/// <summary>The test that is running.</summary>
internal static class Test
{
    /// <summary>
    /// How long a test waits for what must happen: far longer than it takes on a busy machine, so that only what never comes fails.
    /// </summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Cancelled when the run is cut short.</summary>
    public static CancellationToken Token => TestContext.Current.CancellationToken;
}
