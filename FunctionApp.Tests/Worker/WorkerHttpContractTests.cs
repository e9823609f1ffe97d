using System.Net;
using Smtp2GoIngest.Tests.EndToEnd;

namespace Smtp2GoIngest.Tests.Worker;

/// <summary>The contract of the worker behind a Functions host.</summary>
public sealed class WorkerHttpContractTests(AzuriteFixture azurite, WorkerFixture worker) : HttpContract, IClassFixture<WorkerFixture>
{
    private protected override async Task<ContractHost> StartAsync(Dictionary<string, string?>? settings = null)
    {
        if (settings is null)
        {
            return new(worker.Host.Client, () => worker.Host.Log, null);
        }

        var host = await BuiltWorker.StartAsync(azurite.NewAccount(), settings);
        return new(host.Client, () => host.Log, host);
    }

    private protected override bool IsOfTheHost(HttpResponseMessage answer) =>
        answer is { StatusCode: HttpStatusCode.NotFound, Content.Headers.ContentLength: 0 };
}
