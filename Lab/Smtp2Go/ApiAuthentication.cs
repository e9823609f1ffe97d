using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Which key a call has, and where it has it.</summary>
internal static class ApiAuthentication
{
    private const string HeaderName = "X-Smtp2go-Api-Key";
    private const string FieldName = "api_key";
    private const string Scheme = "Bearer ";

    public static ApiKey? KeyOf(HttpRequest request, JsonElement body, IEnumerable<ApiKey> known)
    {
        var text = request.Headers[HeaderName].FirstOrDefault() ?? Bearer(request) ?? Field(body);
        return known.FirstOrDefault(key => key.Key == text);
    }

    public static KeyPlaces PlacesOf(HttpRequest request, string body, IEnumerable<ApiKey> known)
    {
        var url = request.Path + request.QueryString.ToString();
        return (request.Headers.ContainsKey(HeaderName) ? KeyPlaces.Header : KeyPlaces.None)
            | (Bearer(request) is not null ? KeyPlaces.Bearer : KeyPlaces.None)
            | (Holds(body) ? KeyPlaces.Body : KeyPlaces.None)
            | (Holds(url) ? KeyPlaces.Url : KeyPlaces.None);

        bool Holds(string text) =>
            text.Contains(FieldName + "\"", StringComparison.Ordinal)
            || known.Any(key => text.Contains(key.Key, StringComparison.Ordinal));
    }

    private static string? Bearer(HttpRequest request) =>
        request.Headers.Authorization.FirstOrDefault() is { } value && value.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? value[Scheme.Length..].Trim()
            : null;

    private static string? Field(JsonElement body) =>
        body.TryGetProperty(FieldName, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
