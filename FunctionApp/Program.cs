#if FUNCTIONS_WORKER
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddSmtp2GoIngest(builder.Configuration);
builder.Services.AddTelemetry(builder.Configuration)?.UseFunctionsWorkerDefaults();
builder.Build().Run();
#else
return await Smtp2GoIngest.SelfHost.SelfHostedApp.RunAsync(args);
#endif
