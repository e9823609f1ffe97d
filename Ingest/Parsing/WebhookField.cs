namespace Smtp2GoIngest.Parsing;

/// <summary>One value of a field.</summary>
/// <param name="Text">The JSON text of a number, boolean, object or array; empty for null.</param>
/// <param name="IsScalar">False for a JSON object or array. No key is ever made of one.</param>
public readonly record struct FieldValue(string Text, bool IsScalar = true);

/// <summary>One field of a body: its name as sent, and its values in their order.</summary>
/// <param name="Name">Case-sensitive: SMTP2GO sends <c>Subject</c> and <c>subject</c> in one body.</param>
/// <param name="Values">Several where a form repeats the name or JSON holds an array; none for an empty array.</param>
public sealed record WebhookField(string Name, IReadOnlyList<FieldValue> Values);

/// <summary>Collects fields in the order in which their names first appear, up to a number of values over all of them.</summary>
internal sealed class FieldList(int maxValues)
{
    private readonly List<WebhookField> fields = [];
    private readonly Dictionary<string, List<FieldValue>> byName = new(StringComparer.Ordinal);
    private int count;

    public IReadOnlyList<WebhookField> Fields => fields;

    /// <summary>The values of a field, which is added if it is new.</summary>
    public List<FieldValue> this[string name]
    {
        get
        {
            if (!byName.TryGetValue(name, out var values))
            {
                byName[name] = values = [];
                fields.Add(new WebhookField(name, values));
            }

            return values;
        }
    }

    /// <summary>Adds a value to a field; false past the limit.</summary>
    public bool TryAdd(List<FieldValue> values, FieldValue value)
    {
        values.Add(value);
        return ++count <= maxValues;
    }
}
