using System.Net;
using System.Net.Sockets;

namespace Smtp2GoIngest.Lab;

/// <summary>Where Azurite listens, on loopback; 0 means any free port.</summary>
public sealed record AzuritePorts(int Blob, int Queue, int Table)
{
    /// <summary>The ports that <c>UseDevelopmentStorage=true</c> stands for, and that Storage Explorer looks at by default.</summary>
    public static AzuritePorts Usual { get; } = new(10000, 10001, 10002);

    public static AzuritePorts AnyFree { get; } = new(0, 0, 0);

    /// <summary>The same ports, with any free port in place of each one that is taken.</summary>
    public AzuritePorts OrFree() => new(OrFree(Blob), OrFree(Queue), OrFree(Table));

    /// <summary>The port, or 0 if somebody listens on it.</summary>
    public static int OrFree(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return port;
        }
        catch (SocketException)
        {
            return 0;
        }
    }
}
