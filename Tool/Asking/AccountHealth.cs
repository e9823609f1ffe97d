namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What <c>check</c> finds, and the figures in it.</summary>
internal sealed record AccountHealth(IReadOnlyList<Finding> Findings)
{
    public bool IsReached => Findings.All(finding => finding.Check != AccountCheck.Connection || finding.Ok);

    public int Problems => Findings.Count(finding => !finding.Ok);

    public Finding? Queue => Of(AccountCheck.Queue);

    public Finding? PoisonQueue => Of(AccountCheck.PoisonQueue);

    public string? DeadLetters => Of(AccountCheck.DeadLetters) switch
    {
        { DeadLetters: AccountCheck.MostCounted } => $"{PlainText.Number(AccountCheck.MostCounted)}+",
        { DeadLetters: { } count } => PlainText.Number(count),
        { Ok: true } => "0",
        _ => null,
    };

    public static async Task<AccountHealth> LookAsync(AccountCheck check, CancellationToken cancellationToken) =>
        new(await check.RunAsync(cancellationToken).ToListAsync(cancellationToken));

    private Finding? Of(string check) => Findings.FirstOrDefault(finding => finding.Check == check);
}
