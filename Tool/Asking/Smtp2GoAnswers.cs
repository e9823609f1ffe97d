using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Asking;

/// <summary>What SMTP2GO answered last, while its client waits and tries again: the calls themselves do not tell.</summary>
internal sealed class Smtp2GoAnswers
{
    private const int TooManyCalls = 429;
    private const int ServerError = 500;
    private const int Unanswered = -1;

    private volatile int status;
    private int calls;

    /// <summary>How many tries of calls have ended.</summary>
    public int Calls => Volatile.Read(ref calls);

    /// <summary>Why a call takes long; null if nothing is known to be wrong.</summary>
    public string? Trouble => status switch
    {
        TooManyCalls => "SMTP2GO allows no more calls for now (429)",
        >= ServerError and var failed => FormattableString.Invariant($"SMTP2GO failed ({failed})"),
        Unanswered => "SMTP2GO does not answer",
        _ => null,
    };

    /// <summary>Adds one that sees each answer, retries included.</summary>
    public static void Add(IServiceCollection services)
    {
        services.AddSingleton<Smtp2GoAnswers>();
        services.AddHttpClient(Smtp2GoClient.HttpClientName)
            .AddHttpMessageHandler(provider => new Watch(provider.GetRequiredService<Smtp2GoAnswers>()));
    }

    private sealed class Watch(Smtp2GoAnswers answers) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            try
            {
                var answer = await base.SendAsync(request, cancellationToken);
                answers.status = (int)answer.StatusCode;
                return answer;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
            {
                answers.status = Unanswered;
                throw;
            }
            finally
            {
                Interlocked.Increment(ref answers.calls);
            }
        }
    }
}
