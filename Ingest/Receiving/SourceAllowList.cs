using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Receiving;

/// <summary>What the allow-list says about an address.</summary>
public enum SourceDecision
{
    /// <summary>On the list, or there is no list.</summary>
    Allowed,

    Denied,

    /// <summary>Not known yet, because a name on the list has not been resolved.</summary>
    Undecided,
}

/// <summary>Looks up the addresses of a host name, IPv4 and IPv6.</summary>
public delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>Decides which addresses may post (<c>Webhook__AllowedSources</c>).</summary>
/// <remarks>
/// Names are resolved in the background. An address that a name resolved to in the last 24 hours stays allowed, because records rotate
/// and DNS may fail.
/// </remarks>
public sealed partial class SourceAllowList : BackgroundService
{
    private static readonly TimeSpan ResolveInterval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepFor = TimeSpan.FromHours(24);
    private static readonly TimeSpan FirstResolutionWait = TimeSpan.FromSeconds(2);

    private readonly IReadOnlyList<IPNetwork> networks;
    private readonly ResolvedName[] names;
    private readonly ResolveHost resolve;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly OneLineAMinute lines;
    private readonly TaskCompletionSource firstResolution = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SourceAllowList(IOptions<WebhookOptions> options, ResolveHost resolve, TimeProvider time, ILogger<SourceAllowList> logger)
    {
        (this.resolve, this.time, this.logger, lines) = (resolve, time, logger, new(time));
        var entries = SourceEntries.Parse(options.Value.AllowedSources);
        networks = entries.Networks;
        names = [.. entries.Names.Select(name => new ResolvedName(name))];
    }

    /// <summary>True if there is no list: anybody who knows the secret may post.</summary>
    public bool IsEmpty => networks.Count == 0 && names.Length == 0;

    /// <summary>Decides about an address; waits up to two seconds if a name on the list has not been resolved yet.</summary>
    /// <param name="source">Null if the connection has no address. That is denied if there is a list.</param>
    public async ValueTask<SourceDecision> DecideAsync(IPAddress? source, CancellationToken cancellationToken)
    {
        var decision = Decide(source);
        if (decision != SourceDecision.Undecided)
        {
            return decision;
        }

        try
        {
            await firstResolution.Task.WaitAsync(FirstResolutionWait, time, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return SourceDecision.Undecided;
        }

        return Decide(source);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (names.Length > 0)
        {
            await Task.WhenAll(names.Select(name => ResolveAsync(name, stoppingToken)));
            var all = names.All(name => name.IsKnown(time.GetUtcNow()));
            if (all)
            {
                firstResolution.TrySetResult();
            }

            await Task.Delay(all ? ResolveInterval : RetryInterval, time, stoppingToken);
        }
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private SourceDecision Decide(IPAddress? source)
    {
        if (IsEmpty)
        {
            return SourceDecision.Allowed;
        }

        if (source is null)
        {
            return SourceDecision.Denied;
        }

        // An IPv4 address may arrive mapped to IPv6, and an entry may be written that way.
        var plain = Plain(source);
        var now = time.GetUtcNow();

        // Asked first: otherwise a name that is resolved in between would have its addresses refused.
        var known = names.All(name => name.IsKnown(now));
        return networks.Any(network => network.Contains(plain) || network.Contains(plain.MapToIPv6()))
            || names.Any(name => name.Has(plain, now))
                ? SourceDecision.Allowed
            : known ? SourceDecision.Denied
            : SourceDecision.Undecided;
    }

    private async Task ResolveAsync(ResolvedName name, CancellationToken stoppingToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        timeout.CancelAfter(ResolveTimeout);
        try
        {
            name.Add((await resolve(name.Host, timeout.Token)).Select(Plain), time.GetUtcNow());
        }
        catch (Exception) when (!stoppingToken.IsCancellationRequested)
        {
            if (lines.IsDue(name.Host, out _))
            {
                Log.NotResolved(logger, name.Host, KeepFor.TotalHours);
            }
        }
    }

    private sealed class ResolvedName(string host)
    {
        // Replaced as a whole, so that no request sees only part of a DNS answer.
        private volatile ImmutableDictionary<IPAddress, DateTimeOffset> lastSeen = ImmutableDictionary<IPAddress, DateTimeOffset>.Empty;

        public string Host => host;

        public bool Has(IPAddress address, DateTimeOffset now) => lastSeen.TryGetValue(address, out var seen) && now - seen < KeepFor;

        public bool IsKnown(DateTimeOffset now) => lastSeen.Values.Any(seen => now - seen < KeepFor);

        public void Add(IEnumerable<IPAddress> addresses, DateTimeOffset now) => lastSeen = lastSeen
            .Where(entry => now - entry.Value < KeepFor)
            .ToImmutableDictionary()
            .SetItems(addresses.Select(address => KeyValuePair.Create(address, now)));
    }

    private static partial class Log
    {
        [LoggerMessage(
            110,
            LogLevel.Warning,
            "{Host} in Webhook__AllowedSources does not resolve. Its addresses from the last {Hours} hours stay allowed; without any, "
            + "webhooks get 503.")]
        public static partial void NotResolved(ILogger logger, string host, double hours);
    }
}
