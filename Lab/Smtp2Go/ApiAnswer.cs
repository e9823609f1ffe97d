using System.Buffers;
using System.Globalization;
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>An answer before it is sent.</summary>
internal sealed record ApiAnswer(int Status, ReadOnlyMemory<byte> Bytes, string ContentType = MediaTypeNames.Application.Json)
{
    public TimeSpan? RetryAfter { get; init; }

    public static ApiAnswer Of(Action<Utf8JsonWriter> writeData)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("request_id", Guid.NewGuid());
            json.WritePropertyName("data");
            writeData(json);
            json.WriteEndObject();
        }

        return new ApiAnswer(200, bytes.WrittenMemory);
    }

    public static ApiAnswer Of(ApiError error, bool atRoot, bool fieldsAsArray)
    {
        JsonObject json = new() { ["request_id"] = Guid.NewGuid().ToString() };
        foreach (var (name, value) in error.ToJson(atRoot, fieldsAsArray))
        {
            json[name] = value?.DeepClone();
        }

        return new ApiAnswer(error.Status, JsonSerializer.SerializeToUtf8Bytes(json));
    }

    public static ApiAnswer NotJson(int status, string text) => new(status, Encoding.UTF8.GetBytes(text), MediaTypeNames.Text.Html);

    /// <param name="isCut">True to break the connection after half of it.</param>
    public async Task SendAsync(HttpContext context, bool isCut)
    {
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.ContentLength = Bytes.Length;
        if (RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        await response.Body.WriteAsync(isCut ? Bytes[..(Bytes.Length / 2)] : Bytes, context.RequestAborted);
        if (isCut)
        {
            await response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
        }
    }
}
