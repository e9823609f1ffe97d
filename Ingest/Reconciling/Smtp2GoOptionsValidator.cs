using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Reconciling;

/// <summary>Refuses settings with which no call can succeed, or that would show the key to others. No message repeats the key.</summary>
public sealed class Smtp2GoOptionsValidator : IValidateOptions<Smtp2GoOptions>
{
    public ValidateOptionsResult Validate(string? name, Smtp2GoOptions options)
    {
        List<string> failures = [.. KeyProblems(options.ApiKey), .. UrlProblems(options.ApiUrl)];
        return failures.Count > 0 ? ValidateOptionsResult.Fail(failures) : ValidateOptionsResult.Success;
    }

    private static IEnumerable<string> KeyProblems(string? key)
    {
        if (string.IsNullOrEmpty(key))
        {
            yield break;
        }

        if (key.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            yield return "Smtp2Go__ApiKey contains a blank or a character outside printable ASCII: copy the key again.";
        }
    }

    private static IEnumerable<string> UrlProblems(string? url)
    {
        if (string.IsNullOrEmpty(url))
        {
            yield break;
        }

        if (url.AsSpan().ContainsAnyExceptInRange('!', '~')
            || !Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http")
            || uri.UserInfo.Length + uri.Query.Length + uri.Fragment.Length > 0)
        {
            yield return $"Smtp2Go__ApiUrl is not the URL of an API: write it as {Smtp2GoOptions.DefaultUrl}.";
        }
        else if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            yield return "Smtp2Go__ApiUrl must begin with https://, or anybody in between could read the key.";
        }
    }
}
