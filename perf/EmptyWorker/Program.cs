using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;

// The smallest worker that answers 200: the app's start is measured against it.
var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
await builder.Build().RunAsync();

public sealed class Functions
{
    [Function(nameof(Health))]
    public static string Health([HttpTrigger(AuthorizationLevel.Anonymous, Route = "health")] HttpRequest request) => "Healthy";
}
