using System.CommandLine;

namespace Smtp2GoIngest.Perf.Soak;

/// <summary>Measures what grows in the app's process in the long run.</summary>
internal sealed class SoakCommand : Command
{
    public SoakCommand()
        : base("soak", "Posts webhooks at a steady rate and watches the app's process for growth.")
    {
        var minutes = new Option<int>("--minutes")
        {
            Description = $"How long, more than {SoakRun.Reference} minutes: memory at the end is compared with memory in that minute.",
            DefaultValueFactory = _ => 30,
        };
        minutes.Validators.Add(result =>
        {
            if (result.GetValue(minutes) <= SoakRun.Reference)
            {
                result.AddError($"--minutes must be more than {SoakRun.Reference}.");
            }
        });
        var rate = new Option<int>("--rate") { Description = "Webhooks a second.", DefaultValueFactory = _ => 30 };
        Options.Add(minutes);
        Options.Add(rate);
        SetAction((parsed, cancellationToken) => SoakRun.RunAsync(parsed.GetValue(minutes), parsed.GetValue(rate), cancellationToken));
    }
}
