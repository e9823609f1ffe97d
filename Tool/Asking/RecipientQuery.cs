using Azure.Data.Tables;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>Which recipients are asked for.</summary>
/// <param name="States">Null for all in which mail must not be sent.</param>
/// <param name="Classes">The class of what began the state; null for any or none.</param>
/// <param name="Domain">As people write it: <c>example.org</c>, <c>@Example.org</c>. Null for all.</param>
/// <param name="Since">Only those whose state began then or later. One that has no such time is left out.</param>
internal sealed record RecipientQuery(
    IReadOnlyList<string>? States, IReadOnlyList<string>? Classes, string? Domain, DateTimeOffset? Since)
{
    private readonly string? domain = Domain is null ? null : DomainOf(Domain);

    public string Filter => string.Join(" and ", Conditions);

    private IEnumerable<string> Conditions
    {
        get
        {
            yield return States is null
                ? TableClient.CreateQueryFilter($"State ne {RecipientState.Active}")
                : AnyOf(States, state => $"State eq {state}");
            if (Classes is not null)
            {
                yield return AnyOf(Classes, it => $"BounceClass eq {it}");
            }

            if (domain is not null)
            {
                yield return TableClient.CreateQueryFilter($"PartitionKey eq {EventKeys.ToKey(domain)}");
            }

            if (Since is { } since)
            {
                yield return TableClient.CreateQueryFilter($"StateSince ge {since}");
            }
        }
    }

    /// <summary>A domain as the table has it, but for what a key may not hold.</summary>
    public static string DomainOf(string written) => written.Trim().TrimStart('@').ToLowerInvariant();

    /// <summary>What follows <c>recipients</c> in a sentence, with a blank before it.</summary>
    public string Describe() =>
        (States is null ? string.Empty : $" that are {string.Join(" or ", States.Distinct())}")
        + (Classes is null ? string.Empty : $" of class {string.Join(" or ", Classes.Distinct())}")
        + (domain is null ? string.Empty : $" at '{domain}'")
        + (Since is null ? string.Empty : " since then");

    private static string AnyOf(IEnumerable<string> values, Func<string, FormattableString> condition) =>
        $"({string.Join(" or ", values.Distinct().Select(value => TableClient.CreateQueryFilter(condition(value))))})";
}
