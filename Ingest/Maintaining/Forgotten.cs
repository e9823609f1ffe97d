namespace Smtp2GoIngest.Maintaining;

/// <summary>What was done to forget an address, so far; in a dry run, what would be done.</summary>
public sealed record Forgotten
{
    /// <summary>Events about only that recipient, deleted from every table.</summary>
    public long Deleted { get; set; }

    /// <summary>Events that named the address among others, rewritten without it.</summary>
    public long Redacted { get; set; }

    /// <summary>Index rows deleted whose event was already gone.</summary>
    public long IndexRows { get; set; }

    /// <summary>Dead letters deleted or rewritten.</summary>
    public long DeadLetters { get; set; }

    /// <summary>Bodies deleted.</summary>
    public long Blobs { get; set; }

    /// <summary>Bodies that contain the address but were left, because a waiting or recent webhook may need them.</summary>
    public long BlobsLeft { get; set; }

    /// <summary>Rows about whether mail may be sent to the address: one for each spelling.</summary>
    public long Recipients { get; set; }

    /// <summary>Whether the address was not found anywhere.</summary>
    public bool IsNothing => Deleted + Redacted + IndexRows + DeadLetters + Blobs + BlobsLeft + Recipients == 0;

    internal void Add(ForgetChange change)
    {
        Deleted += change == ForgetChange.Deleted ? 1 : 0;
        Redacted += change == ForgetChange.Redacted ? 1 : 0;
    }
}
