using Azure;

namespace Smtp2GoIngest.Queueing;

/// <summary>Describes a failure without the text of the exception, which may quote a row, an address or a URL.</summary>
internal static class StorageFailure
{
    /// <summary>The error code and status from Azure, or that there was no answer; the type of any other exception.</summary>
    public static string Describe(Exception e) => e switch
    {
        LoggableException => e.Message,
        RequestFailedException { ErrorCode: { } code } failed => $"{code} ({failed.Status})",
        RequestFailedException { Status: 0 } or AggregateException { InnerException: OperationCanceledException } => "no answer",
        RequestFailedException failed => $"status {failed.Status}",
        AggregateException { InnerException: { } inner } => Describe(inner),
        _ => e.GetType().Name,
    };
}

/// <summary>A failure whose text is safe to log: it quotes no row, address or URL.</summary>
internal sealed class LoggableException(string message) : Exception(message);
