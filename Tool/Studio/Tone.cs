using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Asking;

namespace Smtp2GoIngest.Tool.Studio;

/// <summary>The class in the style sheet for what is good, bad or somewhere between.</summary>
internal static class Tone
{
    public static string Of(DeliveryState state) => state switch
    {
        DeliveryState.Delivered => "good",
        DeliveryState.HardBounced or DeliveryState.SoftBounced or DeliveryState.Failed or DeliveryState.Rejected => "bad",
        DeliveryState.Complained or DeliveryState.Unsubscribed => "warn",
        _ => "dim",
    };

    /// <param name="recipientState">One of <see cref="RecipientState.All"/>; null if there is none.</param>
    public static string Of(string? recipientState) => recipientState switch
    {
        RecipientState.Active or null => "good",
        RecipientState.HardBounced or RecipientState.Suppressed => "bad",
        _ => "warn",
    };
}
