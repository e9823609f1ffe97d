namespace Smtp2GoIngest.Queueing;

/// <summary>The webhooks waiting for the queue already use as much memory as they may.</summary>
public sealed class QueueOverloadedException() : InvalidOperationException("Too many webhooks are waiting for the queue.");
