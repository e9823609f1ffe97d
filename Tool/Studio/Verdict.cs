using System.Globalization;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>Whether a rate is good or bad, in words and as a class of studio.css.</summary>
internal sealed record Verdict(string Text, string Tone)
{
    /// <param name="of">How many it is a rate of.</param>
    /// <returns>Null if there is no rate.</returns>
    public static Verdict? Of(Threshold threshold, double? rate, long of) => rate is null ? null : threshold.Judge(rate, of) switch
    {
        Judgement.TooFew => new($"too few to judge (under {PlainText.Number(threshold.Least)})", "dim"),
        Judgement.Below => new($"✓ within {TextOf(threshold, threshold.Limit)}", "good"),
        Judgement.Above => new($"▲ above {TextOf(threshold, threshold.Limit)}", "warn"),
        _ => new($"▲ above {TextOf(threshold, threshold.High)}", "bad"),
    };

    /// <summary>A class for a rate in a table, which has no room for words.</summary>
    public static string? ToneOf(Threshold threshold, double? rate, long of) => threshold.Judge(rate, of) switch
    {
        Judgement.Above => "warn",
        Judgement.FarAbove => "bad",
        _ => null,
    };

    private static string TextOf(Threshold threshold, double limit) => threshold == Threshold.MedianDelivery
        ? TimeText.OfSeconds(limit)
        : limit.ToString("0.# %", CultureInfo.InvariantCulture);
}
