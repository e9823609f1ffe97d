using Azure;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Smtp2GoIngest.FunctionApp;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>What the host sees of a function that fails.</summary>
public sealed class FailureGuardTests
{
    public static TheoryData<Exception, string> Failures => new()
    {
        { new RequestFailedException(403, "someone@x.example", "NotAllowed", new IOException("http://x")), "NotAllowed (403)" },
        { new InvalidOperationException("row of someone@x.example"), nameof(InvalidOperationException) },
        { new AggregateException(new TimeoutException("http://x")), nameof(TimeoutException) },
        { new LoggableException("2 webhooks could not be stored."), "2 webhooks could not be stored." },
        { new Smtp2GoException("SMTP2GO does not accept the API key.", 401), "SMTP2GO does not accept the API key." },
    };

    [Theory]
    [MemberData(nameof(Failures), DisableDiscoveryEnumeration = true)]
    public async Task It_says_what_failed_and_where_and_quotes_nothing(Exception failure, string expected)
    {
        var context = new Context();

        var thrown = await Assert.ThrowsAsync<LoggableException>(() => new FailureGuard().Invoke(context, _ => FailAsync(failure)));

        Assert.Equal(expected, thrown.Message);
        Assert.Null(thrown.InnerException);
        Assert.Contains(nameof(FailAsync), $"{thrown}", StringComparison.Ordinal);
        Assert.DoesNotContain("@x.example", $"{thrown}", StringComparison.Ordinal);
        Assert.DoesNotContain("http://x", $"{thrown}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_request_whose_function_fails_is_not_answered_with_200()
    {
        var http = new DefaultHttpContext();
        var context = new Context { Items = { ["HttpRequestContext"] = http } };

        await Assert.ThrowsAsync<LoggableException>(() => new FailureGuard().Invoke(context, _ => FailAsync(new IOException())));

        Assert.Equal(StatusCodes.Status500InternalServerError, http.Response.StatusCode);
    }

    private static async Task FailAsync(Exception failure)
    {
        await Task.Yield();
        throw failure;
    }

    private sealed class Context : FunctionContext
    {
        public override string InvocationId => string.Empty;

        public override string FunctionId => string.Empty;

        public override TraceContext TraceContext => throw new NotSupportedException();

        public override BindingContext BindingContext => throw new NotSupportedException();

        public override RetryContext RetryContext => throw new NotSupportedException();

        public override IServiceProvider InstanceServices { get; set; } = null!;

        public override FunctionDefinition FunctionDefinition => throw new NotSupportedException();

        public override IDictionary<object, object> Items { get; set; } = new Dictionary<object, object>();

        public override IInvocationFeatures Features => throw new NotSupportedException();
    }
}
