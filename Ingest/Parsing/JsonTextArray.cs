using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smtp2GoIngest.Parsing;

[JsonSerializable(typeof(string?[]))]
internal sealed partial class JsonTextArray : JsonSerializerContext
{
    /// <summary>Escapes only what JSON requires, so that people can read it.</summary>
    public static JsonTextArray Readable { get; } =
        new(new JsonSerializerOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
