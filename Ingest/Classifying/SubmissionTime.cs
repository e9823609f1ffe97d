namespace Smtp2GoIngest.Classifying;

/// <summary>
/// When an email was submitted, from its id: SMTP2GO's are Exim message ids, which begin with that time in seconds, in base 62.
/// </summary>
/// <remarks>
/// SMTP2GO does not document this. It holds for every published id that comes with a time: six of them. An id of another shape has none.
/// </remarks>
public static class SubmissionTime
{
    private const string Base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int DigitsOfTime = 6;

    /// <param name="emailId">Such as <c>1w4x2g-FnQW0hPru7M-NRRC</c>.</param>
    /// <returns>A whole second in UTC; null if this is not an id of Exim's.</returns>
    public static DateTimeOffset? Of(string emailId)
    {
        // Exim up to 4.96, and since 4.97.
        var second = emailId.Length == 16 ? 13 : 18;
        if (emailId.Length is not (16 or 23) || emailId[DigitsOfTime] != '-' || emailId[second] != '-')
        {
            return null;
        }

        var seconds = 0L;
        for (var i = 0; i < emailId.Length; i++)
        {
            var digit = Base62.IndexOf(emailId[i], StringComparison.Ordinal);
            if (digit < 0 && i != DigitsOfTime && i != second)
            {
                return null;
            }

            seconds = i < DigitsOfTime ? (seconds * Base62.Length) + digit : seconds;
        }

        return DateTimeOffset.FromUnixTimeSeconds(seconds);
    }

    /// <summary>What an id of this second begins with.</summary>
    internal static string ToText(DateTimeOffset submitted)
    {
        Span<char> text = stackalloc char[DigitsOfTime];
        var seconds = submitted.ToUnixTimeSeconds();
        for (var i = DigitsOfTime - 1; i >= 0; i--, seconds /= Base62.Length)
        {
            text[i] = Base62[(int)(seconds % Base62.Length)];
        }

        return text.ToString();
    }
}
