using System.Text.Json;
using System.Xml;
using Azure;
using Azure.Identity;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

internal static class FailureText
{
    /// <summary>What went wrong and how to fix it, in one line; null for a bug.</summary>
    /// <remarks>It never contains a storage exception's own text, which may quote a row or a URL.</remarks>
    public static string? Explain(Exception e) => e switch
    {
        OperationCanceledException => "Interrupted.",

        // It says what failed at SMTP2GO, and how to fix it. What follows is about storage.
        Smtp2GoException => e.Message,
        TimeoutException => "Storage did not answer in time. Check the network, and try again.",
        RequestFailedException { Status: 401 or 403 } =>
            $"Storage denied access: {StorageFailure.Describe(e)}. "
            + "Check the key in EventStorage, or the identity's roles on tables, queues and blobs.",
        _ when IsOutOfReach(e) =>
            "Storage cannot be reached. Check the account in EventStorage and the network; with Azurite, check that it is running.",
        RequestFailedException => $"Storage failed: {StorageFailure.Describe(e)}. Try again; `smtp2go-ingest check` shows more.",
        AuthenticationFailedException =>
            "Could not sign in to storage. Sign in with `az login`, or set EventStorage to a connection string.",
        IOException or UnauthorizedAccessException or InvalidDataException => e.Message,
        _ when IsUnreadable(e) =>
            "Storage gave an answer that cannot be read. "
            + "Check that EventStorage names a storage account, and that no proxy answers in its place.",
        AggregateException { InnerException: { } inner } => Explain(inner),
        _ => null,
    };

    /// <summary>What to say where <see cref="Explain"/> has nothing to say.</summary>
    /// <remarks>The exception's own text may quote a row. Where it was thrown is enough to find the bug.</remarks>
    public static string OfBug(Exception e) =>
        $"This is a bug, please report it: {e.GetType().Name} in {e.TargetSite?.DeclaringType?.Name}.{e.TargetSite?.Name}.";

    /// <summary>Nobody answered.</summary>
    public static bool IsOutOfReach(Exception e) =>
        e is RequestFailedException { Status: 0 } or HttpIOException
            or AggregateException { InnerException: RequestFailedException { Status: 0 } or OperationCanceledException };

    // The storage libraries do not catch what reading an answer throws.
    private static bool IsUnreadable(Exception e) =>
        e is JsonException or XmlException or FormatException
        || e.TargetSite?.DeclaringType?.Namespace is "System.Text.Json" or "Azure.Data.Tables";
}
