using System.Runtime.InteropServices;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>One try to send a webhook.</summary>
/// <param name="Time">Virtual time.</param>
/// <param name="Status">0 if no answer came.</param>
[StructLayout(LayoutKind.Auto)]
public readonly record struct WebhookTry(DateTimeOffset Time, int Status);

/// <summary>A webhook that did not get through, as the app's page Failed Notifications shows it.</summary>
public sealed class FailedNotification
{
    private readonly Lock gate = new();
    private readonly List<WebhookTry> tries = [];

    internal FailedNotification(Smtp2GoEvent it) => Event = it;

    public Smtp2GoEvent Event { get; }

    /// <summary>Every try so far.</summary>
    public IReadOnlyList<WebhookTry> Tries
    {
        get
        {
            lock (gate)
            {
                return [.. tries];
            }
        }
    }

    /// <summary>True if no further try comes by itself.</summary>
    public bool IsGivenUp { get; internal set; }

    internal bool IsCancelled { get; set; }

    internal void Add(WebhookTry one)
    {
        lock (gate)
        {
            tries.Add(one);
        }
    }
}
