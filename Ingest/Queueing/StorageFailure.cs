using Azure;

namespace Smtp2GoIngest.Queueing;

/// <summary>What may be said of a failure: the text of an exception may quote a row, an address or a URL.</summary>
internal static class StorageFailure
{
    /// <summary>Azure's error code and status, else the type of the exception.</summary>
    public static string Describe(Exception e) => e switch
    {
        LoggableException => e.Message,
        RequestFailedException { ErrorCode: { } code } failed => $"{code} ({failed.Status})",
        RequestFailedException failed => $"status {failed.Status}",
        AggregateException { InnerException: { } inner } => Describe(inner),
        _ => e.GetType().Name,
    };
}

/// <summary>A failure whose text may be logged by anybody: it quotes no row, no address and no URL.</summary>
internal sealed class LoggableException(string message) : Exception(message);
