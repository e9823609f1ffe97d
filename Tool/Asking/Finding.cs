namespace Smtp2GoIngest.Tool.Asking;

/// <summary>The result of checking one part of the account.</summary>
/// <param name="Check">What was looked at.</param>
/// <param name="Messages">How many messages a queue holds, hidden ones included.</param>
/// <param name="OldestSeconds">How long the oldest message known has waited.</param>
/// <param name="DeadLetters">How many there are, counted up to 1,000.</param>
/// <param name="IsConnected">Storage has answered, and accepts the key or the identity.</param>
internal sealed record Finding(
    string Check,
    bool Ok,
    string Detail,
    int? Messages = null,
    double? OldestSeconds = null,
    int? DeadLetters = null,
    bool IsConnected = true);
