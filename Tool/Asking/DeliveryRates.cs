namespace Smtp2GoIngest.Tool.Asking;

/// <summary>How many of some emails arrived, did not arrive, and were opened. Test events do not count.</summary>
/// <param name="Bounced">Or failed, or was rejected.</param>
/// <param name="Opened">Or clicked, by people or machines.</param>
internal sealed record DeliveryRates(int Emails, int Delivered, int Bounced, int Opened)
{
    public static DeliveryRates Of(IEnumerable<Delivery> deliveries) => deliveries
        .Where(delivery => delivery.State != DeliveryState.OnlyTests)
        .Aggregate(new DeliveryRates(0, 0, 0, 0), (sum, delivery) => new DeliveryRates(
            sum.Emails + 1,
            sum.Delivered + (delivery.IsReached ? 1 : 0),
            sum.Bounced + (HasBounced(delivery.State) ? 1 : 0),
            sum.Opened + (delivery.IsOpened ? 1 : 0)));

    /// <summary><c>97.5 %</c> of the emails; a dash if there are none.</summary>
    public string Percent(int count) => Emails == 0 ? "–" : FormattableString.Invariant($"{100.0 * count / Emails:0.#} %");

    private static bool HasBounced(DeliveryState state) =>
        state is DeliveryState.HardBounced or DeliveryState.SoftBounced or DeliveryState.Failed or DeliveryState.Rejected;
}
