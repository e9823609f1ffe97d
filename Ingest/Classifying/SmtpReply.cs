using System.Globalization;

namespace Smtp2GoIngest.Classifying;

/// <summary>The reply of a mail server. Codes are read only where a reply begins; a number elsewhere may be anything.</summary>
/// <param name="Code">The reply code (RFC 5321), such as 550.</param>
/// <param name="EnhancedCode">The enhanced status code (RFC 3463), such as <c>5.1.1</c>.</param>
/// <param name="Text">The reply with its codes, without what was written before it.</param>
internal readonly record struct SmtpReply(int? Code, string? EnhancedCode, ReadOnlyMemory<char> Text)
{
    /// <summary>The most of a message that is read: a reply says what it has to say at its beginning, and a message can be 1 MB.</summary>
    public const int MaxLength = 4096;

    private const string BetweenCodes = " -:,";

    // What mail servers write before the reply of another one. The reply follows at once.
    private static readonly string[] Before = [" said: ", " responded: ", " refused to talk to me: ", "server returned '", "smtp; "];

    // What such a message may begin with. The reply follows after one of the next colons.
    private static readonly string[] Beginnings = ["SMTP error from remote", "host "];

    /// <summary>It may be accepted later.</summary>
    public bool IsTemporary => Code is >= 400 and < 500 || EnhancedCode is ['4', ..];

    public static SmtpReply Of(string? message)
    {
        var text = LineBreaks(message.AsMemory(0, Math.Min(message?.Length ?? 0, MaxLength)).TrimStart());
        var reply = text[StartOf(text.Span)..];
        var (code, enhanced) = CodesAt(reply.Span);
        enhanced ??= EnhancedOfLaterLine(reply.Span, code) ?? EnhancedInBrackets(reply.Span);
        return new SmtpReply(code, enhanced is null || code is null || code / 100 == enhanced[0] - '0' ? enhanced : null, reply);
    }

    // A log writes line breaks as \n.
    private static ReadOnlyMemory<char> LineBreaks(ReadOnlyMemory<char> text) =>
        text.Span.Contains('\\')
            ? text.ToString()
                .Replace(@"\r", string.Empty, StringComparison.Ordinal)
                .Replace(@"\n", "\n", StringComparison.Ordinal)
                .AsMemory()
            : text;

    private static int StartOf(ReadOnlySpan<char> text)
    {
        if (BeginsReply(text))
        {
            return 0;
        }

        foreach (var before in Before)
        {
            if (text.IndexOf(before, StringComparison.OrdinalIgnoreCase) is var at and >= 0 && BeginsReply(text[(at + before.Length)..]))
            {
                return at + before.Length;
            }
        }

        return BeginsLike(text) ? AfterColon(text) : 0;
    }

    private static bool BeginsLike(ReadOnlySpan<char> text)
    {
        foreach (var beginning in Beginnings)
        {
            if (text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private static int AfterColon(ReadOnlySpan<char> text)
    {
        for (var at = text.IndexOf(": "); at >= 0 && at < text.Length;)
        {
            if (BeginsReply(text[(at + 2)..]))
            {
                return at + 2;
            }

            var next = text[(at + 2)..].IndexOf(": ");
            at = next < 0 ? -1 : at + 2 + next;
        }

        return 0;
    }

    private static bool BeginsReply(ReadOnlySpan<char> text) => CodesAt(text) is not (null, null);

    private static (int? Code, string? Enhanced) CodesAt(ReadOnlySpan<char> text)
    {
        int? code = null;
        if (LengthOfCode(text) is var length and > 0)
        {
            code = int.Parse(text[..length], CultureInfo.InvariantCulture);
            text = text[length..].TrimStart(BetweenCodes);
        }

        text = text.TrimStart('#');
        return (code, LengthOfEnhanced(text) is var enhanced and > 0 ? text[..enhanced].ToString() : null);
    }

    // RFC 2034 repeats the code on each line; not every server does.
    private static string? EnhancedOfLaterLine(ReadOnlySpan<char> text, int? code)
    {
        while (code is not null && text.IndexOf('\n') is var end and >= 0)
        {
            text = text[(end + 1)..];
            if (CodesAt(text) is (not null, { } enhanced))
            {
                return enhanced;
            }
        }

        return null;
    }

    // Qmail puts it last: sorry, no mailbox here by that name (#5.1.1)
    private static string? EnhancedInBrackets(ReadOnlySpan<char> text) =>
        text.LastIndexOf("(#") is var at and >= 0 && text[(at + 2)..] is var inside && LengthOfEnhanced(inside) is var length and > 0
            ? inside[..length].ToString()
            : null;

    /// <summary>The length of a reply code at the beginning; 0 if there is none.</summary>
    internal static int LengthOfCode(ReadOnlySpan<char> text) =>
        text is ['2' or '4' or '5', >= '0' and <= '9', >= '0' and <= '9', ..]
        && (text.Length == 3 || BetweenCodes.Contains(text[3], StringComparison.Ordinal) || char.IsWhiteSpace(text[3])) ? 3 : 0;

    /// <summary>The length of an enhanced status code at the beginning; 0 if there is none, as in an IP address.</summary>
    internal static int LengthOfEnhanced(ReadOnlySpan<char> text)
    {
        if (text is not (['2' or '4' or '5', '.', ..]))
        {
            return 0;
        }

        var subject = DigitsOf(text[2..]);
        if (subject == 0 || text.Length <= 2 + subject || text[2 + subject] != '.')
        {
            return 0;
        }

        var length = 3 + subject + DigitsOf(text[(3 + subject)..]);
        var next = text[length..].TrimStart('.');
        return length == 3 + subject || (!next.IsEmpty && char.IsLetterOrDigit(next[0])) ? 0 : length;
    }

    private static int DigitsOf(ReadOnlySpan<char> text)
    {
        var count = 0;
        while (count < Math.Min(text.Length, 3) && char.IsAsciiDigit(text[count]))
        {
            count++;
        }

        return count;
    }
}
