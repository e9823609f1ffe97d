// The smallest app that answers 200: the app's start is measured against it.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
app.MapGet("health", () => "Healthy");
await app.RunAsync();
