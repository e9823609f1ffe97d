using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Smtp2GoIngest.Receiving;

/// <summary>Reads the body of a request into memory.</summary>
internal static class RequestBody
{
    // Most bodies without a declared length are shorter; the buffer grows for the others.
    private const int UndeclaredLength = 4 * 1024;

    /// <summary>Reads the whole body, or says why not. A body over the limit is refused, never cut.</summary>
    public static async Task<(ReadOnlyMemory<byte> Body, Refusal? Refusal)> ReadAsync(
        HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        try
        {
            // One byte more than declared, so that the end is seen without growing.
            var body = new ArrayBufferWriter<byte>((int)(request.ContentLength ?? UndeclaredLength) + 1);
            for (int read; (read = await request.Body.ReadAsync(body.GetMemory(), cancellationToken)) > 0;)
            {
                body.Advance(read);
                if (body.WrittenCount > maxBytes)
                {
                    return (default, Refusal.TooLarge);
                }
            }

            return (body.WrittenMemory, null);
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status408RequestTimeout)
        {
            return (default, Refusal.TooSlow);
        }
        catch (IOException)
        {
            return (default, Refusal.Interrupted);
        }
        catch (OperationCanceledException)
        {
            return (default, Refusal.NotDurable);
        }
    }
}
