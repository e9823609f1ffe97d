namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>Chance that does not depend on the order in which things happen: the same in every run.</summary>
internal static class StableHash
{
    public static uint Of(string text, int salt)
    {
        var hash = 2166136261u ^ ((uint)salt * 0x9E3779B9u);
        foreach (var c in text)
        {
            hash = (hash ^ c) * 16777619;
        }

        // FNV leaves the high bits alike; this is the end of Murmur3.
        hash = (hash ^ (hash >> 16)) * 0x85EBCA6B;
        hash = (hash ^ (hash >> 13)) * 0xC2B2AE35;
        return hash ^ (hash >> 16);
    }

    /// <returns>From 0 to below 1.</returns>
    public static double Share(string text, int salt) => Of(text, salt) / (1.0 + uint.MaxValue);
}
