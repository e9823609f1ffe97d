using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Smtp2GoIngest.Receiving;

/// <summary>What the allow-list says of an address.</summary>
public enum SourceDecision
{
    /// <summary>It is on the list, or there is no list.</summary>
    Allowed,

    /// <summary>It is not on the list.</summary>
    Denied,

    /// <summary>A name on the list could not be resolved yet, so nobody knows.</summary>
    Undecided,
}

/// <summary>Gives the addresses of a host name, of both families.</summary>
/// <param name="host">The name.</param>
/// <param name="cancellationToken">Ends the look-up.</param>
public delegate Task<IPAddress[]> ResolveHost(string host, CancellationToken cancellationToken);

/// <summary>
/// The addresses that may post: <c>Webhook__AllowedSources</c>. Names are resolved in the background; what one gave in the last
/// 24 hours stays allowed, because records rotate and DNS fails.
/// </summary>
public sealed partial class SourceAllowList : BackgroundService
{
    private static readonly TimeSpan ResolveInterval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ResolveTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan KeepFor = TimeSpan.FromHours(24);
    private static readonly TimeSpan FirstResolutionWait = TimeSpan.FromSeconds(2);

    private readonly IPNetwork[] networks;
    private readonly ResolvedName[] names;
    private readonly ResolveHost resolve;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly TaskCompletionSource firstResolution = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Takes the list.</summary>
    /// <param name="options">Valid settings.</param>
    /// <param name="resolve">DNS.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Reports names that do not resolve.</param>
    public SourceAllowList(IOptions<WebhookOptions> options, ResolveHost resolve, TimeProvider time, ILogger<SourceAllowList> logger)
    {
        (this.resolve, this.time, this.logger) = (resolve, time, logger);
        var entries = Split(options.Value.AllowedSources);
        networks = [.. entries.Select(AsNetwork).OfType<IPNetwork>()];
        names = [.. entries.Where(entry => AsNetwork(entry) is null).Select(name => new ResolvedName(name))];
    }

    /// <summary>True where there is no list, and everybody may post who knows the secret.</summary>
    public bool IsEmpty => networks.Length == 0 && names.Length == 0;

    /// <summary>Judges an address; waits up to two seconds where a name on the list was not resolved yet.</summary>
    /// <param name="source">The caller's address; null, which is never allowed, where the connection has none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
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

    /// <summary>The entries of a list that are neither an address, a CIDR range nor a host name.</summary>
    /// <param name="list">The setting.</param>
    internal static IEnumerable<string> Invalid(string? list) =>
        Split(list).Where(entry => AsNetwork(entry) is null && !IsHostName(entry));

    /// <inheritdoc/>
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

    private static string[] Split(string? list) =>
        list?.Split([',', ';', ' ', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static IPNetwork? AsNetwork(string entry) =>
        IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || entry.Count(c => c == '.') == 3)
            ? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32)
        : null;

    // A name whose last label is a number is an address that was mistyped.
    private static bool IsHostName(string entry) =>
        Uri.CheckHostName(entry) == UriHostNameType.Dns && entry.AsSpan(entry.LastIndexOf('.') + 1).ContainsAnyExceptInRange('0', '9');

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

        // An IPv4 address may come mapped into IPv6, and an entry may be written so.
        var plain = Plain(source);
        var now = time.GetUtcNow();
        return networks.Any(network => network.Contains(plain) || network.Contains(plain.MapToIPv6()))
            || names.Any(name => name.Has(plain, now))
                ? SourceDecision.Allowed
            : names.All(name => name.IsKnown(now)) ? SourceDecision.Denied
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
            Log.NotResolved(logger, name.Host, KeepFor.TotalHours);
        }
    }

    private sealed class ResolvedName(string host)
    {
        // Replaced as a whole: a request that saw one address of an answer and not the others would be refused wrongly.
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
            "{Host} of Webhook__AllowedSources does not resolve. What it gave in the last {Hours} hours stays allowed; without any, webhooks get 503.")]
        public static partial void NotResolved(ILogger logger, string host, double hours);
    }
}
