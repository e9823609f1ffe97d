namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>A key of the account's API.</summary>
/// <param name="Permissions">The endpoints that it may call, such as <c>/activity/search</c>; all if empty.</param>
public sealed record ApiKey(string Key, params IReadOnlyList<string> Permissions)
{
    // Every key may ask what it may do.
    public const string PermissionsPath = "/api_keys/permissions";

    /// <summary>What is shown where keys are read back.</summary>
    public string Masked => $"{Key[..Math.Min(8, Key.Length)]}********";

    public bool May(string path) => Permissions.Count == 0 || path == PermissionsPath || Permissions.Contains(path);
}
