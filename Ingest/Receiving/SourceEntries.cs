using System.Net;
using System.Net.Sockets;

namespace Smtp2GoIngest.Receiving;

/// <summary>The entries of <c>Webhook__AllowedSources</c>.</summary>
/// <param name="Networks">Addresses and CIDR ranges.</param>
/// <param name="Names">Everything else.</param>
internal sealed record SourceEntries(IReadOnlyList<IPNetwork> Networks, IReadOnlyList<string> Names)
{
    /// <summary>The names that cannot be host names.</summary>
    public IReadOnlyList<string> Invalid => [.. Names.Where(name => !IsHostName(name))];

    public static SourceEntries Parse(string? list)
    {
        const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        var networks = new List<IPNetwork>();
        var names = new List<string>();
        foreach (var entry in list?.Split([',', ';', ' ', '\n'], Trimmed) ?? [])
        {
            if (AsNetwork(entry) is { } network)
            {
                networks.Add(network);
            }
            else
            {
                names.Add(entry);
            }
        }

        return new SourceEntries(networks, names);
    }

    private static IPNetwork? AsNetwork(string entry) =>
        IPNetwork.TryParse(entry, out var network) ? network
        : IPAddress.TryParse(entry, out var address)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || entry.Count(c => c == '.') == 3)
            ? new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32)
        : null;

    // A name whose last label is a number is a mistyped address.
    private static bool IsHostName(string entry) =>
        Uri.CheckHostName(entry) == UriHostNameType.Dns && entry.AsSpan(entry.LastIndexOf('.') + 1).ContainsAnyExceptInRange('0', '9');
}
