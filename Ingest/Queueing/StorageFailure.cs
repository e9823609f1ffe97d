using Azure;

namespace Smtp2GoIngest.Queueing;

/// <summary>Describes a failure without the text of the exception, which may quote a row, an address or a URL.</summary>
internal static class StorageFailure
{
    /// <summary>Azure's error code and status, or that there was no answer; for any other exception, its type.</summary>
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

/// <summary>A failure whose text is safe to log: it does not quote a row, an address or a URL.</summary>
internal class LoggableException(string message) : Exception(message);
