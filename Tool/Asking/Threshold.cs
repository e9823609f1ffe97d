namespace Smtp2GoIngest.Tool.Asking;

/// <summary>When a rate is bad: the limits of the alerts in infra/main.bicep.</summary>
/// <param name="High">Above this, mailbox providers and SMTP2GO act.</param>
/// <param name="Least">With fewer than this, a rate says nothing.</param>
internal sealed record Threshold(double Limit, double High, long Least)
{
    /// <summary>Hard bounces / (delivered + hard bounces).</summary>
    public static readonly Threshold HardBounces = new(0.05, 0.10, 100);

    /// <summary>Complaints / delivered.</summary>
    public static readonly Threshold Complaints = new(0.001, 0.003, 1_000);

    /// <summary>The median time of delivery, in seconds.</summary>
    public static readonly Threshold MedianDelivery = new(600, double.PositiveInfinity, 20);

    /// <param name="of">How many it is a rate of.</param>
    public Judgement Judge(double? rate, long of) => rate is not { } r || of < Least ? Judgement.TooFew
        : r > High ? Judgement.FarAbove
        : r > Limit ? Judgement.Above
        : Judgement.Below;
}

internal enum Judgement
{
    TooFew,
    Below,
    Above,
    FarAbove,
}
