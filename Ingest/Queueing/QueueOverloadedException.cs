namespace Smtp2GoIngest.Queueing;

/// <summary>The webhooks that wait for the queue use as much memory as they may.</summary>
public sealed class QueueOverloadedException() : InvalidOperationException("Too many webhooks are waiting for the queue.");
