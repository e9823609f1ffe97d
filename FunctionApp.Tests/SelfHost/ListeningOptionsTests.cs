using Microsoft.Extensions.Configuration;
using Smtp2GoIngest.SelfHost;

namespace Smtp2GoIngest.Tests.SelfHost;

public sealed class ListeningOptionsTests
{
    [Theory]
    [InlineData(false, "urls", "")]
    [InlineData(false, "urls", "http://127.0.0.1:7071")]
    [InlineData(false, "urls", "http://127.1.2.3:0")]
    [InlineData(false, "urls", "http://localhost:7071/; http://LOCALHOST:7072")]
    [InlineData(false, "urls", "http://[::1]:7071")]
    [InlineData(false, "urls", "http://unix:/run/smtp2go.sock")]
    [InlineData(true, "urls", "http://*:7071")]
    [InlineData(true, "urls", "http://+")]
    [InlineData(true, "urls", "http://0.0.0.0:7071")]
    [InlineData(true, "urls", "http://[::]:7071")]
    [InlineData(true, "urls", "http://10.0.0.5:7071")]
    [InlineData(true, "urls", "http://127.0.0.1:7071;http://*:7072")]
    [InlineData(true, "http_ports", "8080")]
    [InlineData(true, "Kestrel:Endpoints:Http:Url", "http://0.0.0.0:7071")]
    public void Who_can_reach_the_app_is_known_from_its_urls(bool isPublic, string setting, string value)
    {
        var listening = Read((setting, value));

        Assert.True(new ListeningOptionsValidator().Validate(null, listening).Succeeded);
        Assert.Equal(isPublic, listening.IsPublic);
    }

    [Theory]
    [InlineData("urls", "7071")]
    [InlineData("urls", "127.0.0.1:7071")]
    [InlineData("urls", "ftp://127.0.0.1:7071")]
    [InlineData("urls", "https://127.0.0.1:7071")]
    [InlineData("urls", "http://:7071")]
    [InlineData("urls", "http://ingest.example:7071")]
    [InlineData("urls", "http://127.0.0.1:70710")]
    [InlineData("urls", "http://127.0.0.1:port")]
    [InlineData("urls", "http://127.0.0.1:7071/base")]
    [InlineData("urls", "http://127.0.0.1:7071;7072")]
    [InlineData("http_ports", "http")]
    [InlineData("https_ports", "8443")]
    [InlineData("Kestrel:Endpoints:Http:Url", "")]
    [InlineData("Kestrel:Endpoints:Https:Url", "https://127.0.0.1:7071")]
    public void What_kestrel_cannot_listen_on_is_refused(string setting, string value)
    {
        var result = new ListeningOptionsValidator().Validate(null, Read((setting, value)));

        Assert.Contains("--urls", result.FailureMessage, StringComparison.Ordinal);
    }

    [Fact]
    public void Kestrels_own_endpoints_win_over_urls_and_urls_over_ports()
    {
        Assert.Equal(["http://[::1]:2"], Read(("urls", "http://[::1]:2"), ("http_ports", "3")).Urls);
        Assert.Equal(["http://[::1]:1"], Read(("Kestrel:Endpoints:A:Url", "http://[::1]:1"), ("urls", "http://[::1]:2")).Urls);
        Assert.Equal([SelfHostedApp.DefaultUrl], Read().Urls);
    }

    private static ListeningOptions Read(params (string Setting, string Value)[] settings) => new()
    {
        Urls = ListeningOptions.In(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(setting => KeyValuePair.Create(setting.Setting, (string?)setting.Value)))
                .Build(),
            SelfHostedApp.DefaultUrl),
    };
}
