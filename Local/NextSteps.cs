using System.Globalization;
using Spectre.Console;

namespace Smtp2GoIngest.Local;

/// <summary>What to try while the demo is up. Lines to copy are never wrapped.</summary>
internal static class NextSteps
{
    public static async Task WriteAsync(IAnsiConsole console, TextWriter output, Demo demo)
    {
        var connection = demo.ConnectionString;
        var quoted = demo.IsAtUsualStoragePorts ? connection : $"'{connection}'";
        var time = DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

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

        console.MarkupLine("\n[bold]Look[/], in Storage Explorer:");
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
}
