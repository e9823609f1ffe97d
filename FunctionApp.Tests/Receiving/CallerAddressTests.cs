using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Tests.Receiving;

public sealed class CallerAddressTests
{
    [Theory]
    [InlineData(0, "192.0.2.1", "10.0.0.1")]
    [InlineData(0, null, "10.0.0.1")]
    [InlineData(1, null, "10.0.0.1")]
    [InlineData(1, "192.0.2.1", "192.0.2.1")]
    [InlineData(1, "6.6.6.6, 192.0.2.1", "192.0.2.1")]
    [InlineData(1, "192.0.2.1:54321", "192.0.2.1")]
    [InlineData(1, "[2001:db8::1]:54321", "2001:db8::1")]
    [InlineData(1, "2001:db8::1", "2001:db8::1")]
    [InlineData(1, "\"[2001:db8::1]:54321\"", "2001:db8::1")]
    [InlineData(2, "6.6.6.6, 192.0.2.1, 192.0.2.2", "192.0.2.1")]
    [InlineData(2, "192.0.2.1:1, 192.0.2.2:2", "192.0.2.1")]
    [InlineData(2, "192.0.2.2", "192.0.2.2")]
    [InlineData(1, "192.0.2.1, nonsense", "10.0.0.1")]
    [InlineData(2, "nonsense, 192.0.2.2", "192.0.2.2")]
    [InlineData(1, "6.6.6.6,", "6.6.6.6")]
    public void As_many_hops_are_trusted_as_are_ours(int trusted, string? header, string expected) =>
        Assert.Equal(expected, Of(trusted, header).Address);

    [Theory]
    [InlineData(null, 0)]
    [InlineData("192.0.2.1", 1)]
    [InlineData("6.6.6.6, 192.0.2.1, 192.0.2.2", 3)]
    public void The_hops_in_the_header_are_counted(string? header, int expected) => Assert.Equal(expected, Of(1, header).Hops);

    [Fact]
    public void Several_headers_are_one_list() => Assert.Equal("192.0.2.2", Of(1, ["6.6.6.6", "192.0.2.2"]).Address);

    [Theory]
    [InlineData(true, null, 1)]
    [InlineData(false, null, 0)]
    [InlineData(true, 0, 0)]
    [InlineData(false, 3, 3)]
    public void The_default_is_one_on_Azure(bool isAzure, int? setting, int expected) =>
        Assert.Equal(
            expected,
            new CallerAddress(
                Options.Create(new WebhookOptions { TrustedProxies = setting }),
                new AppEnvironment(isAzure, IsPublic: isAzure),
                NullLoggerFactory.Instance).TrustedProxies);

    private static (string Address, int Hops) Of(int trusted, params string?[] headers)
    {
        var caller = new CallerAddress(
            Options.Create(new WebhookOptions { TrustedProxies = trusted }),
            new AppEnvironment(IsAzure: false, IsPublic: false),
            NullLoggerFactory.Instance);
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.1");
        context.Request.Headers["X-Forwarded-For"] = headers.OfType<string>().ToArray();

        var hops = CallerAddress.Hops(context.Request);
        return (caller.Of(context)!.ToString(), hops);
    }
}
