namespace Smtp2GoIngest.Classifying;

/// <summary>Who runs a mailbox.</summary>
public static class MailboxProvider
{
    // The longest possible domain name, plus an address in brackets after it.
    private const int MaxLength = 512;

    /// <param name="host">The mail server, such as <c>mx.example.com [203.0.113.22]</c>.</param>
    /// <param name="domain">The recipient's domain. It counts if the server's name says nothing.</param>
    /// <returns>Such as <c>gmail</c>; null if it is not a known provider.</returns>
    public static string? Of(string? host, string? domain) =>
        (host is null ? null : Find(NameOf(host))) ?? (domain is null ? null : Find(domain));

    private static ReadOnlySpan<char> NameOf(string host)
    {
        var name = host.AsSpan(0, Math.Min(host.Length, MaxLength)).Trim();
        return name[..(name.IndexOfAny(" [(") is var end and >= 0 ? end : name.Length)].TrimEnd('.');
    }

    // The longest suffix that is in the table, cut only between labels: evil-google.com is not google.com.
    private static string? Find(ReadOnlySpan<char> name)
    {
        while (!name.IsEmpty)
        {
            if (MailboxProviders.Lookup.TryGetValue(name, out var provider))
            {
                return provider;
            }

            name = name.IndexOf('.') is var dot and >= 0 ? name[(dot + 1)..] : default;
        }

        return null;
    }
}
