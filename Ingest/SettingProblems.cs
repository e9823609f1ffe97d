using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest;

/// <summary>Says what is wrong with the settings when a host starts: the message alone, without a stack trace.</summary>
internal static class SettingProblems
{
    /// <summary>Writes one line for each problem to standard error, of which the Functions host shows a worker's last three.</summary>
    /// <returns>True where there is one.</returns>
    public static bool Report(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
            return false;
        }
        catch (Exception e) when (Report(e))
        {
            return true;
        }
    }

    /// <summary>Writes what a host that did not start failed with, where a setting, a file or an address in use can be the cause.</summary>
    /// <returns>False for any other exception.</returns>
    public static bool Report(Exception failure)
    {
        var problems = Find(failure);
        foreach (var problem in problems)
        {
            Console.Error.WriteLine(problem);
        }

        return problems.Count > 0;
    }

    // Never the inner message of a file that cannot be read: it quotes a line, which may hold a password.
    private static IReadOnlyList<string> Find(Exception failure) => failure switch
    {
        OptionsValidationException e => [.. e.Failures],
        AggregateException e when e.InnerExceptions.All(inner => inner is OptionsValidationException) =>
            [.. e.InnerExceptions.SelectMany(Find)],

        // A malformed number or time: the configuration binder's message names the setting and its value.
        InvalidOperationException { InnerException: FormatException or ArgumentException or OverflowException } =>
            [failure.Message.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal)],
        InvalidOperationException or InvalidDataException or FormatException or ArgumentException or IOException =>
            [$"The app cannot start: {failure.Message.ReplaceLineEndings(" ")}"],
        _ => [],
    };
}
