using System.Text;
using CsCheck;
using Smtp2GoIngest.Parsing;

namespace Smtp2GoIngest.Perf.Edge;

/// <summary>Sends random bodies through the parser: it never throws, and the size of the body bounds what it allocates.</summary>
internal static class RandomBodies
{
    // A form with many short names is the worst: a list, a text and a dictionary entry for every few bytes.
    private const double MostBytesPerByte = 100;
    private const int FixedBytes = 16 * 1024;

    private static readonly Gen<byte[]> Bodies = Gen.OneOf(
        Gen.Byte.Array[0, 2000],
        Pieces(
                "{",
                "}",
                "[",
                "]",
                "\"",
                ":",
                ",",
                "\\",
                "\\u",
                "\\ud800",
                "d83d",
                "event",
                "null",
                "true",
                "-1.5e9",
                "\"event\":\"open\"",
                "\"recipients\":[",
                "\u00e9",
                "\t")
            .Select(text => Encoding.UTF8.GetBytes("{" + text)),
        Pieces(
                "&",
                "=",
                "%",
                "%2",
                "%ff",
                "+",
                "event=open",
                "recipients=",
                "recipients[]=",
                "[\"a\"",
                ",",
                ";",
                "time=2026-05-02T11:20:31Z",
                "id",
                "\u00e9",
                "x")
            .Select(Encoding.UTF8.GetBytes),
        Gen.Select(Pieces("\"event\":\"open\"", "\"a\":[1,2]", "\"b\":{\"c\":null}", "\"time\":\"x\""), Gen.Byte.Array[0, 3])
            .Select((text, noise) => (byte[])[.. Encoding.UTF8.GetBytes("{" + text + "}"), .. noise]));

    public static Finding Run(int bodies)
    {
        var (sound, events) = (0, 0);
        var worst = 0.0;
        var size = new Lock();
        string? broken = null;
        try
        {
            Bodies.Sample(
                body =>
                {
                    var (isSound, isParsed, isEvent, allocated) = Parse(body);
                    if (allocated > Most(body))
                    {
                        // The first body that needs something of the parser's also pays for what is made once in a process.
                        allocated = Parse(body).Allocated;
                    }

                    lock (size)
                    {
                        worst = Math.Max(worst, allocated / (body.Length + 64.0));
                        sound += isSound ? 1 : 0;
                        events += isEvent ? 1 : 0;
                    }

                    return isSound == isParsed && allocated <= Most(body);
                },
                iter: bodies,
                threads: 2);
        }
        catch (CsCheckException e)
        {
            broken = e.Message;
        }

        return new Finding(
            "random bodies",
            broken
                ?? $"{bodies:N0} parsed, {sound:N0} well-formed, {events:N0} events, no exception; "
                    + $"at most {worst:N0} bytes allocated for each byte of body",
            broken is null && events > 0);
    }

    private static double Most(byte[] body) => FixedBytes + (MostBytesPerByte * body.Length);

    private static (bool IsSound, bool IsParsed, bool IsEvent, long Allocated) Parse(byte[] body)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isSound = WebhookBody.Check(body) == BodyProblem.None;
        var isParsed = WebhookBody.TryParse(body, out var fields, out _);
        var isEvent = isParsed && EmailEvent.TryCreate(fields!, out _);
        return (isSound, isParsed, isEvent, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static Gen<string> Pieces(params string[] pieces) => Gen.OneOf(pieces).Array[0, 60].Select(string.Concat);
}
