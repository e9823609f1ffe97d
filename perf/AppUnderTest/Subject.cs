using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.AppUnderTest;

/// <summary>The app as every measurement runs it: self-hosted on a real socket, silent, with these credentials.</summary>
public static class Subject
{
    /// <summary>The user name.</summary>
    public const string Username = "smtp2go";

    /// <summary>The password.</summary>
    public const string Password = "right-horse-battery-staple";

    /// <summary>The right credentials.</summary>
    public static AuthenticationHeaderValue Credentials { get; } =
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Username}:{Password}")));

    /// <summary>Builds the app on a free port.</summary>
    /// <param name="connectionString">Of the storage account.</param>
    /// <param name="consume">Without its pumps what it receives stays in the queue, to be counted.</param>
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
}
