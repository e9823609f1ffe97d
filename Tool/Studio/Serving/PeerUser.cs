using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Smtp2GoIngest.Tool.Studio.Serving;

/// <summary>Who is at the other end of a connection on this machine, as far as the kernel knows.</summary>
internal static class PeerUser
{
    // Columns of /proc/net/tcp (proc_pid_net(5)): local address, remote address, user id.
    private const int Local = 1;
    private const int Remote = 2;
    private const int State = 3;
    private const int User = 7;

    private const string Root = "0";
    private const string Established = "01";

    // The tables can change while they are read, so a line may be missed.
    private const int Tries = 3;

    private static readonly string[] Tables = ["/proc/net/tcp", "/proc/net/tcp6"];

    /// <summary>
    /// True if a user other than the one who runs this made the connection, or if it is not known who did. Root can read everything anyway.
    /// False where nothing tells, as on Windows and macOS: there only the link and the cookie protect it.
    /// </summary>
    public static bool IsAnother(EndPoint? server, EndPoint? client)
    {
        if (!OperatingSystem.IsLinux() || server is not IPEndPoint here || client is not IPEndPoint there)
        {
            return false;
        }

        var (mine, theirs) = (Text(here), Text(there));
        string? owner = null;
        for (var i = 0; i < Tries; i++)
        {
            owner = UserOf(mine, theirs) ?? owner;
            if (owner is not null && UserOf(theirs, mine) is { } peer)
            {
                return peer != owner && peer != Root;
            }
        }

        return owner is not null;
    }

    // A socket that its process has closed already belongs to root, as far as the tables go.
    private static string? UserOf(string local, string remote) => Tables
        .Where(File.Exists)
        .SelectMany(File.ReadLines)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(columns => columns.Length > User && (columns[State] == Established || columns[User] != Root)

            // A socket for both versions of IP has a longer address that ends in the same way.
            && columns[Local].EndsWith(local, StringComparison.Ordinal) && columns[Remote].EndsWith(remote, StringComparison.Ordinal))
        .Select(columns => columns[User])
        .FirstOrDefault();

    // As the kernel writes it: an address in the byte order of the machine, in upper case.
    private static string Text(IPEndPoint end)
    {
        var address = end.Address.IsIPv4MappedToIPv6 ? end.Address.MapToIPv4() : end.Address;
        if (address.AddressFamily != AddressFamily.InterNetwork)
        {
            return "?";
        }

        var word = BitConverter.ToUInt32(address.GetAddressBytes());
        return string.Create(CultureInfo.InvariantCulture, $"{word:X8}:{end.Port:X4}");
    }
}
