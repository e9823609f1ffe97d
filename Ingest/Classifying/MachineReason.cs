using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Classifying;

/// <summary>How a machine that opened an email or clicked a link is recognised: by its user agent.</summary>
/// <remarks>A machine that calls itself a browser is not found. A person should never be flagged.</remarks>
public static class MachineReason
{
    // A browser's has about 150 characters.
    private const int MaxLength = 1024;

    // What the field is called in an event that is read from its row, because its body is gone.
    private const string Column = "user_agent";

    /// <returns>Such as <c>gmail-image-proxy</c>; null for a person, and for any other event than an open or a click.</returns>
    public static string? Of(EmailEvent e) =>
        e.Name is "open" or "click" && (e.ValueOf("user-agent") ?? e.ValueOf(Column)) is { } agent
            ? Of(agent, isOpen: e.Name == "open")
            : null;

    private static string? Of(string userAgent, bool isOpen)
    {
        var agent = userAgent.AsSpan(0, Math.Min(userAgent.Length, MaxLength)).Trim();
        if (agent is MachineAgents.Bare)
        {
            return isOpen ? MachineAgents.BareOpen : MachineAgents.BareClick;
        }

        foreach (var machine in MachineAgents.Table)
        {
            if (machine.Is(agent))
            {
                return machine.Reason;
            }
        }

        return null;
    }
}
