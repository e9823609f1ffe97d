using System.Text;
using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>A storage account's three services, by their names in a connection string.</summary>
public enum StorageService
{
    Blob,
    Queue,
    Table,
}

/// <summary>One request to storage, by which a fault is chosen.</summary>
/// <param name="Operation">
/// Azure's own name: <c>PutMessage</c>, <c>InsertEntity</c>, <c>PutBlob</c>. <c>Batch</c> is a table's transaction.
/// </param>
/// <param name="Resource">The queue, table or container; empty for a request to the whole account or to <c>$batch</c>.</param>
/// <param name="Path">The decoded path after the account, with keys and blob names.</param>
public sealed record StorageRequest(StorageService Service, string Operation, string Resource, string Path, ReadOnlyMemory<byte> Body)
{
    /// <summary>The body as text.</summary>
    public string Text => Encoding.UTF8.GetString(Body.Span);

    internal static StorageRequest Of(StorageService service, HttpRequest request, ReadOnlyMemory<byte> body)
    {
        // An emulator's path begins with the account: /account/queue/messages.
        var path = request.Path.Value!.TrimStart('/').Split('/', 2) is [_, var rest] ? rest : string.Empty;
        var resource = path.Split('/', '(')[0];
        var operation = service switch
        {
            StorageService.Queue => OfQueue(request, path),
            StorageService.Table => OfTable(request, path),
            _ => OfBlob(request, path),
        };
        return new StorageRequest(service, operation, resource is "$batch" ? string.Empty : resource, path, body);
    }

    private static string OfQueue(HttpRequest request, string path) => (request.Method, path.Split('/').Length, Comp(request)) switch
    {
        ("GET", _, "list") => "ListQueues",
        ("PUT", 1, null) => "CreateQueue",
        ("DELETE", 1, _) => "DeleteQueue",
        ("GET" or "HEAD", 1, "metadata") => "GetQueueMetadata",
        ("GET", 2, _) => request.Query["peekonly"] == "true" ? "PeekMessages" : "GetMessages",
        ("POST", 2, _) => "PutMessage",
        ("DELETE", 2, _) => "ClearMessages",
        ("PUT", 3, _) => "UpdateMessage",
        ("DELETE", 3, _) => "DeleteMessage",
        _ => Unknown(request),
    };

    private static string OfTable(HttpRequest request, string path) => (request.Method, path) switch
    {
        ("POST", "Tables") => "CreateTable",
        ("GET", "Tables" or "Tables()") => "QueryTables",
        ("DELETE", _) when path.StartsWith("Tables(", StringComparison.Ordinal) => "DeleteTable",
        ("POST", "$batch") => "Batch",
        ("POST", _) => "InsertEntity",
        ("GET", _) => path.Contains("(PartitionKey=", StringComparison.Ordinal) ? "GetEntity" : "QueryEntities",
        ("PUT", _) => request.Headers.IfMatch.Count > 0 ? "UpdateEntity" : "InsertOrReplaceEntity",
        ("PATCH" or "MERGE", _) => request.Headers.IfMatch.Count > 0 ? "MergeEntity" : "InsertOrMergeEntity",
        ("DELETE", _) => "DeleteEntity",
        _ => Unknown(request),
    };

    private static string OfBlob(HttpRequest request, string path) => (request.Method, path.Contains('/'), Comp(request)) switch
    {
        ("GET", false, "list") => path.Length == 0 ? "ListContainers" : "ListBlobs",
        ("PUT", false, null) => "CreateContainer",
        ("GET" or "HEAD", false, null) => "GetContainerProperties",
        ("DELETE", false, _) => "DeleteContainer",
        ("PUT", true, null) => "PutBlob",
        ("PUT", true, "block") => "PutBlock",
        ("PUT", true, "blocklist") => "PutBlockList",
        ("PUT", true, "metadata") => "SetBlobMetadata",
        ("GET", true, null) => "GetBlob",
        ("HEAD", true, _) => "GetBlobProperties",
        ("DELETE", true, _) => "DeleteBlob",
        _ => Unknown(request),
    };

    private static string Unknown(HttpRequest request) => $"{request.Method} {Comp(request)}".TrimEnd();

    private static string? Comp(HttpRequest request) => request.Query["comp"];
}
