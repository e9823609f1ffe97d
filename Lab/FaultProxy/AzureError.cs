using System.Net.Mime;
using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Lab.FaultProxy;

/// <summary>Answers an error as Azure does: with an XML body, with JSON from tables, and inside a 202 answer for a transaction.</summary>
internal static class AzureError
{
    private const string Message = "An injected fault.";

    public static async Task WriteAsync(HttpResponse response, StorageRequest request, int status, string code)
    {
        response.Clear();
        response.Headers["x-ms-request-id"] = Guid.NewGuid().ToString();
        response.Headers["x-ms-version"] = "2019-02-02";
        if (request.Operation == "Batch" && status == StatusCodes.Status409Conflict)
        {
            response.StatusCode = StatusCodes.Status202Accepted;
            response.ContentType = "multipart/mixed; boundary=batchresponse";
            await response.WriteAsync(Refused(code).ReplaceLineEndings("\r\n"));
            return;
        }

        response.StatusCode = status;
        response.Headers["x-ms-error-code"] = code;
        response.ContentType =
            request.Service == StorageService.Table ? "application/json;odata=minimalmetadata" : MediaTypeNames.Application.Xml;
        await response.WriteAsync(
            request.Service == StorageService.Table
                ? Json(code)
                : $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{Message}</Message></Error>");
    }

    private static string Json(string code) =>
        $$$$"""{"odata.error":{"code":"{{{{code}}}}","message":{"lang":"en-US","value":"{{{{Message}}}}"}}}""";

    // The first operation of the transaction is the one that is refused.
    private static string Refused(string code) => $"""
        --batchresponse
        Content-Type: multipart/mixed; boundary=changesetresponse

        --changesetresponse
        Content-Type: application/http
        Content-Transfer-Encoding: binary

        HTTP/1.1 409 Conflict
        X-Content-Type-Options: nosniff
        Content-Type: application/json;odata=minimalmetadata;streaming=true;charset=utf-8

        {Json(code).Replace("\"value\":\"", "\"value\":\"0:", StringComparison.Ordinal)}
        --changesetresponse--
        --batchresponse--

        """;
}
