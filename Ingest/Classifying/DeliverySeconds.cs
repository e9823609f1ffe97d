using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Classifying;

/// <summary>How long an email took from its submission to its delivery.</summary>
internal static class DeliverySeconds
{
    // SMTP2GO gives up long before this: an id that says so is not what it looks like.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(10);

    // Two clocks, and whole seconds.
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(2);

    public static double? Of(EmailEvent e)
    {
        if (e is not { Name: "delivered", EmailId: { } emailId, Time: { } time } || SubmissionTime.Of(emailId) is not { } submitted)
        {
            return null;
        }

        var took = time - submitted;
        return took < -Early || took > Longest ? null : Math.Max(took.TotalSeconds, 0);
    }
}
