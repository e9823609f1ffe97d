using Microsoft.Extensions.Configuration;

namespace Smtp2GoIngest.SelfHost;

/// <summary>The numbers of <c>host.json</c> under <c>extensions.queues</c>, so that both hosts run by the same file.</summary>
internal sealed class QueueTriggerOptions
{
    /// <summary>Messages taken in one call, at most 32.</summary>
    public int BatchSize { get; set; } = 16;

    /// <summary>A new batch is taken when no more than this many messages are being worked on.</summary>
    public int NewBatchThreshold { get; set; } = 8;

    /// <summary>How long a message that failed stays hidden.</summary>
    public TimeSpan VisibilityTimeout { get; set; }

    /// <summary>How often a message is tried before it goes to the poison queue.</summary>
    public int MaxDequeueCount { get; set; } = 5;

    /// <summary>The longest pause between two looks into an empty queue.</summary>
    public TimeSpan MaxPollingInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a message stays hidden while it is worked on; renewed at half its time. After a crash it comes again this late at most.</summary>
    /// <remarks>Not in <c>host.json</c>: the Functions host lets nobody set its own.</remarks>
    internal TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(60);

    public static QueueTriggerOptions FromHostJson() =>
        new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("host.json")
            .Build()
            .GetSection("extensions:queues")
            .Get<QueueTriggerOptions>() ?? new QueueTriggerOptions();
}
