namespace Smtp2GoIngest.Parsing;

/// <summary>One value of a field.</summary>
/// <param name="Text">The JSON text of a number, boolean, object or array; empty for null.</param>
/// <param name="IsScalar">False for a JSON object or array. No key is ever built from one.</param>
public readonly record struct FieldValue(string Text, bool IsScalar = true);

/// <summary>One field of a body: its name as sent, and its values in order.</summary>
/// <param name="Name">Case-sensitive: SMTP2GO sends <c>Subject</c> and <c>subject</c> in one body.</param>
/// <param name="Values">Several if a form repeats the name or JSON has an array; none for an empty array.</param>
/// <param name="IsList">A JSON array, or a name that a form repeats or ends in <c>[]</c>: each value is one element.</param>
public sealed record WebhookField(string Name, IReadOnlyList<FieldValue> Values, bool IsList = false);

/// <summary>Collects fields in the order in which their names first appear, up to a total number of values.</summary>
/// <remarks>Recipients do not count: an email may have any number, and the limit on the body bounds them.</remarks>
internal sealed class FieldList(int maxValues)
{
    private readonly List<Entry> entries = [];
    private readonly Dictionary<string, Entry> byName = new(StringComparer.Ordinal);
    private int count;

    public IReadOnlyList<WebhookField> Fields =>
    [
        .. entries.Select(e =>
            new WebhookField(e.Name, e.Values, e.IsArray || e.Values.Count > 1 || e.Name.EndsWith("[]", StringComparison.Ordinal))),
    ];

    /// <summary>The field with this name; added if it is new.</summary>
    public Entry this[string name]
    {
        get
        {
            if (!byName.TryGetValue(name, out var entry))
            {
                byName[name] = entry = new Entry(name);
                entries.Add(entry);
            }

            return entry;
        }
    }

    /// <summary>Adds a value to a field; false if that exceeds the limit.</summary>
    public bool TryAdd(Entry field, FieldValue value)
    {
        field.Values.Add(value);
        return FieldTypes.IsRecipients(field.Name) || ++count <= maxValues;
    }

    internal sealed class Entry(string name)
    {
        public string Name => name;

        public List<FieldValue> Values { get; } = [];

        public bool IsArray { get; set; }
    }
}
