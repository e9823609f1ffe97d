namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>One line in the activity of an account: an event, or one recipient's part in it.</summary>
internal readonly record struct ActivityRow(Smtp2GoEvent Event, string? Recipient)
{
    public static IEnumerable<ActivityRow> Of(Smtp2GoEvent it, bool perRecipient) =>
        perRecipient && it.Recipient is null
            ? it.Email.Recipients.Select(recipient => new ActivityRow(it, recipient))
            : [new ActivityRow(it, it.Recipient)];

    /// <summary>A place in an order that has nothing to do with time, another one for each salt.</summary>
    public uint Place(int salt) => StableHash.Of(Event.Id + Recipient, salt);
}

/// <summary>A page of /activity/search.</summary>
/// <param name="Token">Null if there is no other page.</param>
internal sealed record ActivityPage(IReadOnlyList<ActivityRow> Rows, int Total, string? Token);
