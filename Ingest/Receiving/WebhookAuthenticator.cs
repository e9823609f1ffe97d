using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Smtp2GoIngest.Receiving;

/// <summary>What the authenticator says about a request.</summary>
public enum AuthenticationResult
{
    /// <summary>At least one secret is right.</summary>
    Accepted,

    /// <summary>No secret was sent in an accepted way.</summary>
    Missing,

    /// <summary>Every secret that was sent is wrong.</summary>
    Wrong,
}

/// <summary>The secrets that a request carries.</summary>
/// <param name="Authorization">The values of the Authorization header.</param>
/// <param name="Query">The values of <c>?p=</c>, decoded.</param>
/// <param name="Path">What follows <c>smtp2go_</c> in the path, decoded; null for the path without a secret.</param>
public readonly record struct PresentedSecrets(IReadOnlyList<string?> Authorization, IReadOnlyList<string?> Query, string? Path);

/// <summary>Compares the secrets in a request with the accepted ones, in a time that reveals nothing about them.</summary>
/// <remarks>
/// SMTP2GO does not sign webhooks. These four ways are all it offers
/// (<see href="https://support.smtp2go.com/hc/en-gb/articles/223088187-Webhooks"/>).
/// </remarks>
public sealed class WebhookAuthenticator
{
    private readonly SecretWays accept;
    private readonly bool allowAnonymous;
    private readonly byte[][] passwords;
    private readonly byte[][] userPasswords;

    /// <summary>Keeps only digests of the accepted secrets.</summary>
    public WebhookAuthenticator(WebhookOptions options)
    {
        accept = options.Accept;
        allowAnonymous = options.AllowAnonymous;
        string[] secrets = [.. new[] { options.Password, options.PreviousPassword }.OfType<string>().Where(s => s.Length > 0)];
        passwords = [.. secrets.Select(Digest)];
        userPasswords = [.. secrets.Select(secret => Digest($"{options.Username}:{secret}"))];
    }

    /// <summary>Compares every secret that was sent in an accepted way with every accepted secret.</summary>
    public AuthenticationResult Authenticate(in PresentedSecrets presented)
    {
        if (allowAnonymous)
        {
            return AuthenticationResult.Accepted;
        }

        var any = false;
        var accepted = false;
        foreach (var header in presented.Authorization)
        {
            if (accept.HasFlag(SecretWays.Basic) && TryTake(header, "Basic ", out var credentials))
            {
                any = true;
                accepted |= IsAnyBase64(userPasswords, credentials);
            }
            else if (accept.HasFlag(SecretWays.Bearer) && TryTake(header, "Bearer ", out var token))
            {
                any = true;
                accepted |= IsAny(passwords, token);
            }
        }

        foreach (var value in presented.Query)
        {
            if (accept.HasFlag(SecretWays.Query) && !string.IsNullOrEmpty(value))
            {
                any = true;
                accepted |= IsAny(passwords, value);
            }
        }

        if (accept.HasFlag(SecretWays.Path) && !string.IsNullOrEmpty(presented.Path))
        {
            any = true;
            accepted |= IsAny(passwords, presented.Path);
        }

        return accepted ? AuthenticationResult.Accepted : any ? AuthenticationResult.Wrong : AuthenticationResult.Missing;
    }

    private static bool TryTake(string? header, string scheme, out ReadOnlySpan<char> rest)
    {
        var has = header is not null && header.StartsWith(scheme, StringComparison.OrdinalIgnoreCase);
        rest = has ? header.AsSpan(scheme.Length).Trim() : [];
        return has;
    }

    private static bool IsAnyBase64(byte[][] accepted, ReadOnlySpan<char> text)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(text.Length);
        var isBase64 = Convert.TryFromBase64Chars(text, buffer, out var length);
        var found = IsAny(accepted, buffer.AsSpan(0, length)) && isBase64;
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return found;
    }

    private static bool IsAny(byte[][] accepted, ReadOnlySpan<char> secret)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(secret.Length));
        var found = IsAny(accepted, buffer.AsSpan(0, Encoding.UTF8.GetBytes(secret, buffer)));
        ArrayPool<byte>.Shared.Return(buffer, clearArray: true);
        return found;
    }

    private static bool IsAny(byte[][] accepted, Span<byte> secret)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(secret, digest);
        var found = false;
        foreach (var candidate in accepted)
        {
            found |= CryptographicOperations.FixedTimeEquals(candidate, digest);
        }

        return found;
    }

    private static byte[] Digest(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));
}
