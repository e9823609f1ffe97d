namespace Smtp2GoIngest.Tests;

/// <summary>The test that is running.</summary>
internal static class Test
{
    /// <summary>Cancelled when the run is cut short.</summary>
    public static CancellationToken Token => TestContext.Current.CancellationToken;
}
