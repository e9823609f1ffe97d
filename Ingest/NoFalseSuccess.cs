using Azure;
using Azure.Core;
using Azure.Core.Pipeline;

namespace Smtp2GoIngest;

/// <summary>Treats a success that did not come from storage as a failed connection, so that the SDK tries again.</summary>
/// <remarks>
/// A captive portal or a proxy may answer a write with the very status that says it took effect. Without this, a webhook that was never
/// written would be acknowledged.
/// </remarks>
internal sealed class NoFalseSuccess : HttpPipelineSynchronousPolicy
{
    // All three services send it with every answer.
    private const string Mark = "x-ms-request-id";

    public override void OnReceivedResponse(HttpMessage message)
    {
        if (!message.Response.IsError && !message.Response.Headers.Contains(Mark))
        {
            throw new RequestFailedException("The answer is not from storage.");
        }
    }
}
