namespace Smtp2GoIngest.Tool.Commands;

/// <summary>What somebody may have meant.</summary>
internal static class Suggestion
{
    private const int ShortestPrefix = 3;
    private const int LongestWord = 40;

    /// <summary><c> Did you mean 'summary'?</c>, with a blank before it; empty if nothing comes close.</summary>
    public static string For(string typed, IEnumerable<string> known)
    {
        if (typed.Length > LongestWord)
        {
            return string.Empty;
        }

        var nearest = known
            .Select(word => (Word: word, Distance: Distance(typed.ToLowerInvariant(), word)))
            .Where(it => it.Distance <= Math.Max(1, typed.Length / 3) || IsBeginning(typed, it.Word))
            .OrderBy(it => it.Distance)
            .ThenBy(it => it.Word, StringComparer.Ordinal)
            .FirstOrDefault();
        return nearest.Word is null ? string.Empty : $" Did you mean '{nearest.Word}'?";
    }

    private static bool IsBeginning(string typed, string word) =>
        typed.Trim('-').Length >= ShortestPrefix && word.StartsWith(typed, StringComparison.OrdinalIgnoreCase);

    // Letters typed wrong, left out, added or swapped with the next one.
    private static int Distance(string typed, string word)
    {
        var rows = new int[typed.Length + 1, word.Length + 1];
        for (var i = 0; i <= typed.Length; i++)
        {
            for (var j = 0; j <= word.Length; j++)
            {
                rows[i, j] = i == 0 || j == 0
                    ? i + j
                    : Math.Min(
                        Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1,
                        rows[i - 1, j - 1] + (typed[i - 1] == word[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && typed[i - 1] == word[j - 2] && typed[i - 2] == word[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[typed.Length, word.Length];
    }
}
