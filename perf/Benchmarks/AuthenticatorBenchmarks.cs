using System.Text;
using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Primitives;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Perf.Benchmarks;

/// <summary>What a caller costs before the body is read.</summary>
[MemoryDiagnoser]
public class AuthenticatorBenchmarks
{
    private readonly WebhookAuthenticator authenticator = new(
        new WebhookOptions { Username = Subject.Username, Password = Subject.Password });
    private readonly PresentedSecrets right = Basic(Subject.Password);
    private readonly PresentedSecrets wrong = Basic("wrong-horse-battery-staple");
    private readonly PresentedSecrets none = new(StringValues.Empty, StringValues.Empty, null);

    [Benchmark]
    public AuthenticationResult Right() => authenticator.Authenticate(right);

    [Benchmark]
    public AuthenticationResult Wrong() => authenticator.Authenticate(wrong);

    [Benchmark]
    public AuthenticationResult None() => authenticator.Authenticate(none);

    private static PresentedSecrets Basic(string password) =>
        new(
            new StringValues("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{Subject.Username}:{password}"))),
            StringValues.Empty,
            null);
}
