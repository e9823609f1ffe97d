using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest;

/// <summary>Checks all settings before a host starts.</summary>
internal static class SettingProblems
{
    /// <summary>Writes one line for each problem to standard error, of which the Functions host shows a worker's last three.</summary>
    /// <returns>True where there is one.</returns>
    public static bool Report(IServiceProvider services)
    {
        var problems = Find(services.GetRequiredService<IStartupValidator>());
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }

        return problems.Count > 0;
    }

    private static IReadOnlyList<string> Find(IStartupValidator settings)
    {
        try
        {
            settings.Validate();
            return [];
        }
        catch (OptionsValidationException e)
        {
            return [.. e.Failures];
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            return [.. e.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures)];
        }
        catch (InvalidOperationException e) when (e.InnerException is FormatException or ArgumentException or OverflowException)
        {
            // A malformed number or time: the configuration binder's message names the setting and its value.
            return [e.Message.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal)];
        }
    }
}
