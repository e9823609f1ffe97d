using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest;
using Smtp2GoIngest.FunctionApp;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Telemetry;

IHost host;
try
{
    var builder = FunctionsApplication.CreateBuilder(args);
    builder.ConfigureFunctionsWebApplication();
    builder.UseMiddleware<RunningCalls>();
    builder.UseMiddleware<FailureGuard>();
    builder.UseMiddleware<EncodedSlash>();
    builder.Services.AddHostedService(static services => services.GetRequiredService<RunningCalls>());
    builder.Services.Configure<KestrelServerOptions>(static kestrel => kestrel.AddServerHeader = false);
    builder.Services.AddSmtp2GoIngest(builder.Configuration);

    // func start sets Development: a developer's machine. Any other host may be in a container that others can reach.
    var isLocal = builder.Configuration["AZURE_FUNCTIONS_ENVIRONMENT"] == Environments.Development;
    builder.Services.AddSingleton(_ => AppEnvironment.Detect(builder.Configuration, listensToOthers: !isLocal));
    builder.Services.AddTelemetry(builder.Configuration)?.UseFunctionsWorkerDefaults();
    host = builder.Build();
    if (SettingProblems.Report(host.Services))
    {
        return 1;
    }
}
catch (Exception e) when (SettingProblems.Report(e))
{
    return 1;
}

await host.RunAsync();
return 0;
