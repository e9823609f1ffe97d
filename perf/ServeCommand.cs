using System.CommandLine;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Perf.Load;
using Smtp2GoIngest.Perf.Soak;

namespace Smtp2GoIngest.Perf;

/// <summary>What runs inside a measured process, which <see cref="ServingProcess"/> starts.</summary>
internal sealed class ServeCommand : Command
{
    public ServeCommand()
        : base("serve", "The server that load and soak start and measure.")
    {
        Hidden = true;
        var account = new Argument<string>("connection-string");
        var side = new Argument<Side>("side");
        var consume = new Argument<bool>("consume");

        var load = new Command(Sides.Verb) { side, account, consume };
        load.SetAction((parsed, _) =>
            Sides.ServeAsync(parsed.GetValue(side), parsed.GetRequiredValue(account), parsed.GetValue(consume)));
        Subcommands.Add(load);

        var soak = new Command(Sampler.Verb) { account };
        soak.SetAction((parsed, _) => Sampler.ServeAsync(parsed.GetRequiredValue(account)));
        Subcommands.Add(soak);
    }
}
