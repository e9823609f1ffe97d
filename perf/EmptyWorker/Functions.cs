using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;

namespace Smtp2GoIngest.EmptyWorker;

public static class Functions
{
    [Function(nameof(Health))]
    public static string Health([HttpTrigger(AuthorizationLevel.Anonymous, Route = "health")] HttpRequest request) => "Healthy";
}
