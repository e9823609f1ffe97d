using System.Text.Json;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>
/// Tokens for the next page. What they hold and how long they live is what SMTP2GO's did in 2017; today's are not documented.
/// </summary>
internal sealed class ContinueTokens(TimeProvider time)
{
    public static readonly TimeSpan Life = TimeSpan.FromSeconds(300);

    public string New(int search, int offset) => Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(
        new Content(search, offset, (time.GetUtcNow() + Life).UtcTicks)));

    public (int Search, int Offset) Read(string token)
    {
        Content? content = null;
        try
        {
            content = JsonSerializer.Deserialize<Content>(Convert.FromBase64String(token));
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            // Not one of ours: refused below.
        }

        return content is not null && content.Expires > time.GetUtcNow().UtcTicks
            ? (content.Search, content.Offset)
            : throw ApiError.Invalid("continue_token", "The token is not valid, or has expired.");
    }

    private sealed record Content(int Search, int Offset, long Expires);
}
