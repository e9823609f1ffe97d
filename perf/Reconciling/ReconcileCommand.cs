using System.CommandLine;

namespace Smtp2GoIngest.Perf.Reconciling;

/// <summary>A week in which webhooks are lost in every way, and what reconciling makes of it.</summary>
internal sealed class ReconcileCommand : Command
{
    public ReconcileCommand()
        : base("reconcile", "Simulates a week with outages and a filtered webhook, reconciles it, and looks for every event of SMTP2GO's.")
    {
        var emails = new Option<int>("--emails")
        {
            Description = "How many emails are sent in the week; each has some 2.7 events.",
            DefaultValueFactory = _ => 10_000,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "Repeats the mail and the faults of an earlier run.",
            DefaultValueFactory = _ => 7,
        };
        Options.Add(emails);
        Options.Add(seed);
        SetAction((parsed, cancellationToken) =>
            ReconcileRun.RunAsync(parsed.GetValue(emails), parsed.GetValue(seed), cancellationToken));
    }
}
