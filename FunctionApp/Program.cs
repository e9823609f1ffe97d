using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest;
using Smtp2GoIngest.Telemetry;

var builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
builder.Services.AddSmtp2GoIngest(builder.Configuration);
builder.Services.AddTelemetry(builder.Configuration)?.UseFunctionsWorkerDefaults();
builder.Build().Run();
