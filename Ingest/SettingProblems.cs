using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest;

/// <summary>Says what is wrong with the settings when a host starts: only the message, without a stack trace.</summary>
internal static partial class SettingProblems
{
    /// <summary>Writes one line for each problem to standard error. The Functions host shows a worker's last three lines.</summary>
    /// <returns>True if there is a problem.</returns>
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

    /// <summary>Writes why a host did not start, if a setting, a file or an address in use can be the cause.</summary>
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

    // Never the inner message about a file that cannot be read: it quotes a line, which may contain a password.
    private static IReadOnlyList<string> Find(Exception failure) => failure switch
    {
        OptionsValidationException e => [.. e.Failures],
        AggregateException e when e.InnerExceptions.All(inner => inner is OptionsValidationException) =>
            [.. e.InnerExceptions.SelectMany(Find)],

        // A malformed number or time. The binder's message quotes the value, which may be a secret in the wrong place.
        InvalidOperationException { InnerException: FormatException or ArgumentException or OverflowException }
            when Malformed().Match(failure.Message) is { Success: true } malformed =>
            [
                $"{malformed.Groups["setting"].Value.Replace(ConfigurationPath.KeyDelimiter, "__", StringComparison.Ordinal)} "
                + $"is not a valid {NameOf(malformed.Groups["type"].Value)}.",
            ],

        // From logging, which does not say which of its settings it means.
        InvalidOperationException e when e.Message.StartsWith("Configuration value", StringComparison.Ordinal) =>
            ["A Logging__LogLevel__… setting is not a log level: write Trace, Debug, Information, Warning, Error, Critical or None."],
        InvalidOperationException or InvalidDataException or FormatException or ArgumentException or IOException =>
            [$"The app cannot start: {failure.Message.ReplaceLineEndings(" ")}"],
        _ => [],
    };

    private static string NameOf(string type) => type switch
    {
        "System.TimeSpan" => "time span: write it as 00:00:04",
        "System.Boolean" => "Boolean: write true or false",
        "System.Int32" => "number",
        "Smtp2GoIngest.Receiving.SecretWays" => "list: write one or more of basic, bearer, query and path, with commas between them",
        _ => "value: see the settings in README",
    };

    [GeneratedRegex(
        @"' at '(?<setting>[^']+)' to type '(System\.Nullable`1\[)?(?<type>[^'\]]+)\]?'",
        RegexOptions.ExplicitCapture | RegexOptions.RightToLeft,
        matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Malformed();
}
