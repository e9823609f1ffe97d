namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Makes ids of emails as Exim does: the second of submission in base 62, and two more groups.</summary>
public static class EmailIds
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <returns>Such as <c>1w4x2g-FnQW0hPru7M-NRRC</c>.</returns>
    public static string New(DateTimeOffset submitted, Random random)
    {
        Span<char> time = stackalloc char[6];
        var seconds = submitted.ToUnixTimeSeconds();
        for (var i = time.Length - 1; i >= 0; i--, seconds /= Digits.Length)
        {
            time[i] = Digits[(int)(seconds % Digits.Length)];
        }

        return $"{time}-{random.GetString(Digits, 11)}-{random.GetString(Digits, 4)}";
    }
}
