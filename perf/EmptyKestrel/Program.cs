// The least that answers 200: what starting the app is measured against.
var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var app = builder.Build();
app.MapGet("health", () => "Healthy");
await app.RunAsync();
