using Azure.Core;
using Azure.Core.Pipeline;

namespace Smtp2GoIngest;

/// <summary>Gives up a hung write of a message or a blob early enough to try again before the webhook has to be answered.</summary>
/// <remarks>
/// A write usually takes milliseconds. What it has sent may have taken effect: the same webhook twice in the queue is stored once.
/// </remarks>
internal sealed class WriteTimeout : HttpPipelineSynchronousPolicy
{
    // With Webhook__EnqueueTimeout at 4 s, a second try and, where that hangs as well, a third.
    private static readonly TimeSpan FirstTry = TimeSpan.FromSeconds(1);

    // Longer, for a queue that is slow and does not hang.
    private static readonly TimeSpan LaterTry = TimeSpan.FromSeconds(2);

    private const double BytesPerSecond = 512 * 1024;

    public override void OnSendingRequest(HttpMessage message)
    {
        var request = message.Request;
        if (request.Method == RequestMethod.Post || request.Method == RequestMethod.Put)
        {
            var length = request.Content is { } content && content.TryComputeLength(out var bytes) ? bytes : 0;
            var answer = message.ProcessingContext.RetryNumber == 0 ? FirstTry : LaterTry;
            message.NetworkTimeout = answer + TimeSpan.FromSeconds(length / BytesPerSecond);
        }
    }
}
