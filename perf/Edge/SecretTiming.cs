using System.Diagnostics;
using Smtp2GoIngest.Perf.AppUnderTest;
using Smtp2GoIngest.Receiving;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>Measures whether the time of a comparison tells how much of a password is correct.</summary>
internal static class SecretTiming
{
    /// <summary>Compares a password wrong in its last character with one wrong from its first, in turn.</summary>
    public static Finding Run(int comparisons)
    {
        var authenticator = new WebhookAuthenticator(new WebhookOptions { Username = Subject.Username, Password = Subject.Password });
        var almost = new PresentedSecrets([], [Subject.Password[..^1] + "X"], null);
        var nothing = new PresentedSecrets([], ["X" + new string('x', Subject.Password.Length - 1)], null);

        var times = (Almost: new long[comparisons], Nothing: new long[comparisons]);
        for (var i = -comparisons; i < comparisons; i++)
        {
            var first = Time(i % 2 == 0 ? almost : nothing);
            var second = Time(i % 2 == 0 ? nothing : almost);
            if (i >= 0)
            {
                (times.Almost[i], times.Nothing[i]) = i % 2 == 0 ? (first, second) : (second, first);
            }
        }

        Array.Sort(times.Almost);
        Array.Sort(times.Nothing);
        var (a, n) = (times.Almost[comparisons / 2], times.Nothing[comparisons / 2]);
        return new Finding(
            "timing of a wrong secret",
            $"{comparisons:N0} comparisons each: ratio of medians, last character wrong : all wrong = {(double)a / n:0.000}",
            null);

        long Time(in PresentedSecrets secrets)
        {
            // Sixteen at a time: a single one is close to the clock's resolution.
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < 16; i++)
            {
                authenticator.Authenticate(secrets);
            }

            return Stopwatch.GetTimestamp() - start;
        }
    }
}
