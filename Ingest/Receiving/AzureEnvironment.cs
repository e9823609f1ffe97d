using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest.Receiving;

/// <summary>Where the app runs.</summary>
/// <param name="IsAzure">True on Azure Functions and App Service.</param>
public sealed record AzureEnvironment(bool IsAzure)
{
    // App Service plans set the first. Flex Consumption does not; there the Functions host itself looks for the other two.
    private static readonly string[] Marks = ["WEBSITE_INSTANCE_ID", "WEBSITE_SKU", "WEBSITE_POD_NAME"];

    internal static AzureEnvironment Detect(IConfiguration configuration) =>
        new(Marks.Any(mark => !string.IsNullOrEmpty(configuration[mark])));
}
