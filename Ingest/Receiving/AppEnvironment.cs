using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest.Receiving;

/// <summary>Where the app runs.</summary>
/// <param name="IsAzure">True on Azure Functions and App Service.</param>
/// <param name="IsPublic">True if the app answers more than this machine.</param>
public sealed record AppEnvironment(bool IsAzure, bool IsPublic)
{
    // App Service plans set the first. Flex Consumption does not. There, the Functions host itself looks for the other two.
    private static readonly string[] Marks = ["WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME"];

    /// <param name="listensToOthers">Whether the host may be reached from other machines.</param>
    internal static AppEnvironment Detect(IConfiguration configuration, bool listensToOthers = false)
    {
        var isAzure = Marks.Any(mark => !string.IsNullOrEmpty(configuration[mark]));
        return new AppEnvironment(isAzure, isAzure || listensToOthers);
    }
}
