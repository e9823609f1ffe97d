namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>
/// An account at SMTP2GO as the tests know it, whole: its events, which of them the app has acknowledged, its webhooks and keys.
/// </summary>
/// <remarks>
/// It has two clocks. <see cref="Now"/> is virtual: when events happen, can be searched, and are sent. The API's limits go by a
/// <see cref="TimeProvider"/>, which the server is given.
/// </remarks>
public sealed class Smtp2GoAccount(DateTimeOffset now)
{
    private readonly Lock gate = new();
    private readonly List<Smtp2GoEvent> added = [];
    private readonly Dictionary<string, List<Smtp2GoEvent>> byEmail = [];
    private Smtp2GoEvent[] events = [];
    private Smtp2GoWebhook[] webhooks = [];
    private long ticks = now.UtcTicks;

    /// <summary>Virtual time, in UTC. The driver sets it forward.</summary>
    public DateTimeOffset Now
    {
        get => new(Interlocked.Read(ref ticks), TimeSpan.Zero);
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, Now);
            MoveTo(value);
        }
    }

    /// <summary>All events that were added, in the order of their dates; those after <see cref="Now"/> have not happened yet.</summary>
    public IReadOnlyList<Smtp2GoEvent> Events => Volatile.Read(ref events);

    public IReadOnlyList<Smtp2GoWebhook> Webhooks => Volatile.Read(ref webhooks);

    public IList<ApiKey> Keys { get; } = [];

    public void Add(params IReadOnlyCollection<Smtp2GoEvent> more)
    {
        lock (gate)
        {
            added.AddRange(more);
            foreach (var it in more)
            {
                if (!byEmail.TryGetValue(it.Email.EmailId, out var sameEmail))
                {
                    byEmail[it.Email.EmailId] = sameEmail = [];
                }

                sameEmail.Add(it);
            }

            Volatile.Write(ref events, [.. added.OrderBy(it => it.Date)]);
        }
    }

    /// <returns>The webhook with its id.</returns>
    public Smtp2GoWebhook AddWebhook(Smtp2GoWebhook webhook)
    {
        lock (gate)
        {
            var withId = webhook with { Id = webhooks.Length + 1 };
            Volatile.Write(ref webhooks, [.. webhooks, withId]);
            return withId;
        }
    }

    /// <summary>Replaces the webhook of the same id.</summary>
    public void ChangeWebhook(Smtp2GoWebhook webhook)
    {
        lock (gate)
        {
            Volatile.Write(ref webhooks, [.. webhooks.Select(it => it.Id == webhook.Id ? webhook : it)]);
        }
    }

    /// <summary>The events of an email, those of the future too.</summary>
    public IReadOnlyList<Smtp2GoEvent> OfEmail(string emailId)
    {
        lock (gate)
        {
            return byEmail.TryGetValue(emailId, out var found) ? [.. found] : [];
        }
    }

    /// <summary>The events with a date from <paramref name="from"/> until before <paramref name="until"/>.</summary>
    public ReadOnlyMemory<Smtp2GoEvent> Between(DateTimeOffset from, DateTimeOffset until)
    {
        var all = Volatile.Read(ref events);
        var first = FirstFrom(all, from);
        return all.AsMemory(first, Math.Max(0, FirstFrom(all, until) - first));
    }

    /// <summary>What was added after the first <paramref name="count"/> events, in the order in which it was added.</summary>
    internal IReadOnlyList<Smtp2GoEvent> AddedAfter(int count)
    {
        lock (gate)
        {
            return added[count..];
        }
    }

    /// <summary>Moves <see cref="Now"/> forward, unless it is later already.</summary>
    internal void MoveTo(DateTimeOffset time)
    {
        long seen;
        while ((seen = Interlocked.Read(ref ticks)) < time.UtcTicks)
        {
            Interlocked.CompareExchange(ref ticks, time.UtcTicks, seen);
        }
    }

    private static int FirstFrom(Smtp2GoEvent[] all, DateTimeOffset time)
    {
        var (low, high) = (0, all.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = all[middle].Date < time ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}
