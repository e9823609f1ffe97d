using System.Text;
using CsCheck;
using Smtp2GoIngest.Parsing;
using Smtp2GoIngest.Storing;

namespace Smtp2GoIngest.Tests.Storing;

/// <summary>One event is one row, whatever format the account has switched to between two tries of its webhook.</summary>
public sealed class IdentityTests(AzuriteFixture azurite)
{
    private static readonly Gen<(SpelledEvent Event, int Seed)> Spelled = Gen.Select(SpelledEvent.Any, Gen.Int);

    [Fact]
    public void A_form_and_a_JSON_object_of_one_event_are_one_row() => Spelled.Sample(
        it =>
        {
            var random = new Random(it.Seed);
            var form = Read(it.Event.ToForm(random));
            var json = Read(it.Event.ToJson(random));
            return form.SaysTheSameAs(json) && json.SaysTheSameAs(form) && KeysOf(form).SequenceEqual(KeysOf(json));
        },
        iter: 20_000,
        print: it => Print(it.Event, it.Seed));

    [Fact]
    public void An_event_with_another_meaning_does_not_say_the_same() => Spelled.Sample(
        it =>
        {
            var random = new Random(it.Seed);
            return !Read(it.Event.ToForm(random)).SaysTheSameAs(Read(it.Event.Changed().ToJson(random)));
        },
        iter: 2_000,
        print: it => Print(it.Event, it.Seed));

    [Fact]
    public async Task Both_formats_of_many_events_are_stored_once_and_leave_no_dead_letter()
    {
        const int Events = 60;
        await using var app = await IngestApp.StartAsync(azurite.NewAccount());
        var random = new Random(20_261_126);
        var bodies = SpelledEvent.Any.Array[Events]
            .Single(events => events.DistinctBy(e => e.Number).Count() == Events, seed: "0000KnbBOMr1")
            .Select(e => random.Next(2) == 0 ? (e.ToForm(random), e.ToJson(random)) : (e.ToJson(random), e.ToForm(random)))
            .ToList();

        foreach (var part in new[] { bodies.Select(body => body.Item1), bodies.Select(body => body.Item2) })
        {
            await Task.WhenAll(part.Select(body => app.AcknowledgedAsync(body)));
            await app.DrainedAsync();
        }

        Assert.Equal(Events, (await app.EventsAsync()).Count);
        Assert.Empty(await app.DeadLettersAsync());
    }

    private static IEnumerable<string> KeysOf(EmailEvent e) =>
    [
        EventKeys.PartitionKey(e), EventKeys.RowKey(e), EventKeys.DayPartitionKey(e), EventKeys.DayRowKey(e), EventKeys.RecipientRowKey(e),
        .. EventIndex.RecipientsOf(e).Select(EventKeys.RecipientPartitionKey),
    ];

    private static EmailEvent Read(string body)
    {
        Assert.True(EmailEvent.TryParse(Encoding.UTF8.GetBytes(body), out var e, out _));
        return e;
    }

    private static string Print(SpelledEvent e, int seed)
    {
        var random = new Random(seed);
        return $"{e.ToForm(random)}\n{e.ToJson(random)}";
    }
}
