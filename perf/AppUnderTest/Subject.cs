using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Perf.AppUnderTest;

/// <summary>The app as every measurement runs it: self-hosted on a real socket, with these credentials.</summary>
internal static class Subject
{
    public const string Username = "smtp2go";
    public const string Password = "right-horse-battery-staple";

    public static AuthenticationHeaderValue Credentials { get; } =
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")));

    /// <summary>The webhook of an app, with its credentials, as SMTP2GO is given it.</summary>
    public static Uri WebhookUrl(Uri app) =>
        new UriBuilder(new Uri(app, "webhook/smtp2go")) { UserName = Username, Password = Password }.Uri;

    /// <summary>Builds the app in this process, on a free port and silent.</summary>
    /// <param name="consume">Whether it runs its pumps and timers. Without them, what it receives stays in the queue to be counted.</param>
    public static WebApplication Build(string connectionString, bool consume) => SelfHostedApp.Build(
        [],
        [
            new("urls", "http://127.0.0.1:0"),
            new("EventStorage", connectionString),
            new("Webhook:Username", Username),
            new("Webhook:Password", Password),
            new("Logging:LogLevel:Default", "None"),
        ],
        builder =>
        {
            if (!consume)
            {
                builder.Services.RemoveAll<IHostedService>();
            }
        });

    /// <summary>Starts an assembly with the app's settings in its own process.</summary>
    public static ProcessStartInfo StartInfo(string assembly, Uri url, string connectionString) =>
        new("dotnet", [assembly, "--urls", url.ToString()])
        {
            UseShellExecute = false,
            Environment =
            {
                ["EventStorage"] = connectionString,
                ["Webhook__Username"] = Username,
                ["Webhook__Password"] = Password,
            },
        };
}
