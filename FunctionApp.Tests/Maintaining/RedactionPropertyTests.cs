using CsCheck;
using Smtp2GoIngest.Maintaining;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Tests.Maintaining;

/// <summary>A forgotten address is nowhere any more, and everybody else's events say the same as before.</summary>
public sealed class RedactionPropertyTests
{
    [Fact]
    public void Forgetting_one_finds_every_spelling_and_changes_nothing_about_anybody_else() =>
        GeneratedPeople.Any(events: 3).Sample(
            people =>
            {
                foreach (var generated in people.Events)
                {
                    var (one, e) = (AddressPattern.Parse(people.One)!, Read(generated.Body));
                    Assert.Equal(generated.IsAboutOne, Redaction.IsAboutOnly(one, e));
                    if (!generated.IsAboutOne)
                    {
                        AssertForgotten(people.One, generated, e, Redaction.Without(one, e));
                    }
                }
            },
            iter: 5_000,
            print: people => $"{people.One}\n{string.Join('\n', people.Events.Select(e => e.Body))}");

    /// <summary>The forgotten address is gone from an event that is also about others, and nothing else is.</summary>
    internal static void AssertForgotten(string address, GeneratedPeople.Event generated, EmailEvent before, EmailEvent after)
    {
        var one = AddressPattern.Parse(address)!;
        Assert.Equal(before.Recipients.Where(recipient => !one.Is(recipient)), after.Recipients);
        Assert.Equal(before.About, after.About);
        Assert.Equal(before.Fields.Select(field => (field.Name, field.IsList)), after.Fields.Select(field => (field.Name, field.IsList)));
        Assert.False(Redaction.IsIn(one, after));
        foreach (var (field, without) in before.Fields.Zip(after.Fields))
        {
            if (generated.Texts.TryGetValue(field.Name, out var text))
            {
                AssertForgotten(text, without.Values.Single().Text, isQuoted: address[0] == '"');
            }
            else if (!RecipientAddresses.Of(field).Any(one.Is))
            {
                Assert.Equal(field.Values, without.Values);
            }
        }

        var read = Read(WebhookBody.ToJson(after.Fields));
        Assert.Equal(Describe(after), Describe(read));
        Assert.True(read.SaysTheSameAs(after));
    }

    internal static EmailEvent Read(string body)
    {
        Assert.True(EmailEvent.TryParse(System.Text.Encoding.UTF8.GetBytes(body), out var e, out var problem), problem.ToString());
        return e;
    }

    private static void AssertForgotten(GeneratedPeople.Text before, string after, bool isQuoted)
    {
        if (!before.HoldsOne)
        {
            Assert.Equal(before.Whole, after);
        }

        if (after == AddressPattern.Mark && isQuoted)
        {
            // An encoded address with a blank and quotes cannot be cut out.
            return;
        }

        foreach (var other in before.Others.Distinct().OrderByDescending(other => other.Length))
        {
            Assert.Contains(other, after, StringComparison.Ordinal);
            after = after.Replace(other, string.Empty, StringComparison.Ordinal);
        }

        Assert.All(before.Ones, spelled => Assert.DoesNotContain(spelled, after, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Describe(EmailEvent e) => e.Fields.Select(field =>
        $"{field.Name}|{field.IsList}|{string.Join('|', field.Values.Select(value => $"{value.IsScalar}:{value.Text}"))}");
}
