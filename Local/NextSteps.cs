using System.Globalization;
using Spectre.Console;

namespace Smtp2GoIngest.Local;

/// <summary>What to try while the demo is up. Lines to copy are never wrapped.</summary>
internal static class NextSteps
{
    private const string FilledIn = "\nThose that you have filled in since are still there; -- --fresh starts over.";

    public static async Task WriteAsync(IAnsiConsole console, TextWriter output, Demo demo, DemoSmtp2Go? smtp2Go, Uri studio)
    {
        var connection = demo.ConnectionString;
        var quoted = demo.IsAtUsualStoragePorts ? connection : $"'{connection}'";
        var time = Text(DateTimeOffset.UtcNow, "yyyy-MM-dd'T'HH:mm:ss'Z'");

        console.MarkupLine("\n[bold]Look[/], in a browser (each link works once; press Enter here for another):");
        await output.WriteLineAsync(studio.AbsoluteUri);

        console.MarkupLine("\n[bold]Ask[/], in another terminal:");
        await output.WriteLineAsync($"""
            export EventStorage={quoted}
            $env:EventStorage = "{connection}"    # PowerShell
            dotnet run --project Tool -- email {DemoEvents.Order}
            dotnet run --project Tool -- recipient ada@example.org
            dotnet run --project Tool -- day --event bounce
            dotnet run --project Tool -- summary
            """);
        if (!demo.IsAtUsualAppPort)
        {
            await output.WriteLineAsync($"""
                dotnet run --project Tool -- send open --to {demo.Endpoint} \
                  --user {Demo.Username} --password {Demo.Password}
                """);
        }

        if (smtp2Go is not null)
        {
            await WriteReconcilingAsync(console, output, smtp2Go);
        }

        console.MarkupLine("\n[bold]Or look[/] in Storage Explorer:");
        await output.WriteLineAsync(demo.IsAtUsualStoragePorts
            ? "Emulator & Attached, Storage Accounts, (Emulator - Default Ports), Tables"
            : "Attach to a resource, Storage account, Connection string: the text above");

        console.MarkupLine("\n[bold]Send[/] an event as SMTP2GO would (in PowerShell: curl.exe, on one line):");
        await output.WriteLineAsync($"""
            curl -i -u {Demo.Username}:{Demo.Password} \
              {demo.Endpoint} \
              -d 'event=open&email_id={DemoEvents.Order}&rcpt=ada@example.org' \
              -d time={time}
            """);
    }

    public static Task WriteLostAsync(TextWriter output, DemoSmtp2Go smtp2Go) => output.WriteLineAsync($"""

        In the day before {Text(smtp2Go.Until, "yyyy-MM-dd HH:mm")} (UTC), {DemoSmtp2Go.Emails} emails were sent.
        {smtp2Go.Lost} of their events never arrived. SMTP2GO has them.{(smtp2Go.IsNew ? null : FilledIn)}
        """);

    private static async Task WriteReconcilingAsync(IAnsiConsole console, TextWriter output, DemoSmtp2Go smtp2Go)
    {
        const string Reconcile = "dotnet run --project Tool -- reconcile";
        var days = $"{Text(smtp2Go.From, "yyyy-MM-dd")} {Text(smtp2Go.Until, "yyyy-MM-dd")}";
        console.MarkupLine("\n[bold]Find[/] what never arrived, fill it in, and see that nothing is missing:");
        await output.WriteLineAsync($"""
            export Smtp2Go__ApiUrl={smtp2Go.Url}
            export Smtp2Go__ApiKey={DemoSmtp2Go.Key}
            $env:Smtp2Go__ApiUrl = "{smtp2Go.Url}"    # PowerShell
            $env:Smtp2Go__ApiKey = "{DemoSmtp2Go.Key}"
            dotnet run --project Tool -- check --smtp2go
            {Reconcile} {days} --now
            {Reconcile} {days} --now --apply
            {Reconcile} {days} --now
            """);
    }

    private static string Text(DateTimeOffset time, string format) => time.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
}
