namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Where a call had a key.</summary>
[Flags]
public enum KeyPlaces
{
    None = 0,

    /// <summary>X-Smtp2go-Api-Key.</summary>
    Header = 1,

    /// <summary>Authorization: Bearer.</summary>
    Bearer = 2,

    /// <summary>The field <c>api_key</c>, or anywhere else in the body.</summary>
    Body = 4,

    /// <summary>The URL, where SMTP2GO does not look for it.</summary>
    Url = 8,
}

/// <summary>A call that came to the API.</summary>
/// <param name="Path">Without the version, such as <c>/activity/search</c>.</param>
/// <param name="Time">When it came, by the server's clock.</param>
/// <param name="Status">What it was answered; 0 for a connection that was dropped on purpose.</param>
public sealed record ApiCall(string Path, DateTimeOffset Time, int Status, KeyPlaces Key, string Body)
{
    /// <summary>The largest number of calls in any minute.</summary>
    public static int MostInAMinute(IEnumerable<ApiCall> calls)
    {
        var times = calls.Select(call => call.Time).Order().ToList();
        var (most, first) = (0, 0);
        for (var last = 0; last < times.Count; last++)
        {
            while (times[last] - times[first] >= TimeSpan.FromMinutes(1))
            {
                first++;
            }

            most = Math.Max(most, last - first + 1);
        }

        return most;
    }
}
