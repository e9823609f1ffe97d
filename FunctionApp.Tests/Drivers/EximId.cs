namespace Smtp2GoIngest.Tests;

/// <summary>Makes ids like SMTP2GO's, whose first six characters are the second of submission in base 62.</summary>
internal static class EximId
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string Of(DateTimeOffset submitted)
    {
        var text = string.Empty;
        for (var second = submitted.ToUnixTimeSeconds(); second > 0; second /= Digits.Length)
        {
            text = Digits[(int)(second % Digits.Length)] + text;
        }

        return $"{text.PadLeft(6, '0')}-FnQW0hPru7M-NRRC";
    }
}
