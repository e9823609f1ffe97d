using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Microsoft.Extensions.DependencyInjection;

namespace Smtp2GoIngest.Tests;

/// <summary>Makes chosen requests to the tables fail as in Azure, and leaves the others to Azurite.</summary>
internal sealed class StorageFault(Func<Request, RequestFailedException?> choose) : HttpPipelineSynchronousPolicy
{
    public override void OnSendingRequest(HttpMessage message)
    {
        if (choose(message.Request) is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>Puts the fault between the app and its tables.</summary>
    public static Action<IServiceCollection> InTables(string connectionString, Func<Request, RequestFailedException?> choose) => services =>
    {
        var options = new TableClientOptions();
        options.AddPolicy(new StorageFault(choose), HttpPipelinePosition.PerCall);
        services.AddSingleton(new TableServiceClient(connectionString, options));
    };

    /// <summary>The text that a request is about to send.</summary>
    public static string BodyOf(Request request)
    {
        using var body = new MemoryStream();
        request.Content?.WriteTo(body, CancellationToken.None);
        return System.Text.Encoding.UTF8.GetString(body.ToArray());
    }
}
