using System.Buffers;
using System.Text;

namespace Smtp2GoIngest.Classifying;

/// <summary>The words of a reply in one form, so that a phrase is found whatever its case, punctuation and line breaks.</summary>
internal static class ReplyWords
{
    private static readonly SearchValues<char> Ends = SearchValues.Create(" \t\r\n<>()[]{}\",;:");

    /// <summary>Lower-case words, with one blank between, before and after them.</summary>
    /// <remarks>
    /// Left out: apostrophes; addresses, because what they contain is not what the reply says; and the codes, which a reply of several
    /// lines repeats on each.
    /// </remarks>
    public static string Of(ReadOnlySpan<char> reply)
    {
        var words = new StringBuilder(reply.Length + 2).Append(' ');
        while (!reply.IsEmpty)
        {
            var end = reply.IndexOfAny(Ends) is var next and >= 0 ? next : reply.Length;
            Append(words, WithoutCodes(reply[..end]));
            reply = reply[Math.Min(end + 1, reply.Length)..];
        }

        return words.ToString();
    }

    private static ReadOnlySpan<char> WithoutCodes(ReadOnlySpan<char> word)
    {
        if (SmtpReply.LengthOfCode(word) is var code and > 0)
        {
            word = word[code..].TrimStart('-');
        }

        word = word.TrimStart('#');
        return word[SmtpReply.LengthOfEnhanced(word)..];
    }

    private static void Append(StringBuilder words, ReadOnlySpan<char> word)
    {
        if (word.Contains('@'))
        {
            return;
        }

        foreach (var c in word)
        {
            if (char.IsLetterOrDigit(c))
            {
                words.Append(char.ToLowerInvariant(c));
            }
            else if (c is not ('\'' or '\u2019') && words[^1] != ' ')
            {
                words.Append(' ');
            }
        }

        if (words[^1] != ' ')
        {
            words.Append(' ');
        }
    }
}
