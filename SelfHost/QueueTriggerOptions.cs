using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest.SelfHost;

/// <summary>The settings under <c>extensions.queues</c> in <c>host.json</c>, so that both hosts use the same file.</summary>
internal sealed class QueueTriggerOptions
{
    /// <summary>The most messages that one call fetches; Azure allows 32.</summary>
    public int BatchSize { get; set; } = 16;

    /// <summary>A new batch is fetched when no more than this many messages are in flight.</summary>
    public int NewBatchThreshold { get; set; } = 8;

    /// <summary>How long a message that failed stays hidden.</summary>
    public TimeSpan VisibilityTimeout { get; set; }

    /// <summary>How many times a message is tried before it goes to the poison queue.</summary>
    public int MaxDequeueCount { get; set; } = 5;

    /// <summary>The longest wait between two polls of an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// How long a message stays hidden while it is processed; renewed at half its time. After a crash, the message comes back when it ends.
    /// </summary>
    /// <remarks>Not a setting: the Functions host fixes its own at 10 minutes.</remarks>
    internal TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(60);

    public static QueueTriggerOptions FromHostJson() =>
        new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("host.json")
            .Build()
            .GetSection("extensions:queues")
            .Get<QueueTriggerOptions>() ?? new QueueTriggerOptions();
}
