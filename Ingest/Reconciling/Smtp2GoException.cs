using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Reconciling;

/// <summary>A call to SMTP2GO's API failed, after all its tries. The message says what to do, and quotes nothing that is private.</summary>
/// <param name="status">SMTP2GO's answer; 0 if there was none.</param>
/// <param name="errorCode">SMTP2GO's own code without <c>E_ApiResponseCodes.</c>, such as ENDPOINT_PERMISSION_DENIED.</param>
internal sealed class Smtp2GoException(string message, int status, string? errorCode = null) : LoggableException(message)
{
    public int Status { get; } = status;

    public string? ErrorCode { get; } = errorCode;
}
