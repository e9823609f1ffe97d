using Azure.Core;
using Azure.Core.Pipeline;

namespace Smtp2GoIngest;

/// <summary>Gives up a hung write of a message or a blob early enough to try again before the webhook has to be answered.</summary>
/// <remarks>
/// A write usually takes milliseconds. A write that was given up may have taken effect. That does no harm: the same webhook twice in the
/// queue is stored once.
/// </remarks>
/// <param name="firstTry">How long a first try may take, apart from the time its content needs.</param>
internal sealed class WriteTimeout(TimeSpan firstTry) : HttpPipelineSynchronousPolicy
{
    /// <summary>
    /// With <c>Webhook__EnqueueTimeout</c> at 4 s, this leaves time for a second try and, if that hangs as well, a third.
    /// </summary>
    public static readonly TimeSpan OfQueue = TimeSpan.FromSeconds(1);

    /// <summary>Longer: a body is written, or found and touched, before its message is sent, and each step may be slow.</summary>
    public static readonly TimeSpan OfBlobs = TimeSpan.FromSeconds(2);

    // For a queue that is slow but does not hang.
    private static readonly TimeSpan LaterTry = TimeSpan.FromSeconds(2);

    private const double BytesPerSecond = 512 * 1024;

    public override void OnSendingRequest(HttpMessage message)
    {
        var request = message.Request;
        if (request.Method == RequestMethod.Post || request.Method == RequestMethod.Put)
        {
            var length = request.Content is { } content && content.TryComputeLength(out var bytes) ? bytes : 0;
            var answer = message.ProcessingContext.RetryNumber == 0 ? firstTry : LaterTry;
            message.NetworkTimeout = answer + TimeSpan.FromSeconds(length / BytesPerSecond);
        }
    }
}
