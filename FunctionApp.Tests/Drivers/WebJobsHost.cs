using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using Azure.Storage.Queues.Models;
using Microsoft.Azure.WebJobs;
using Microsoft.Azure.WebJobs.Host.Timers;
using Microsoft.Azure.WebJobs.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Smtp2GoIngest.Queueing;

namespace Smtp2GoIngest.Tests;

/// <summary>The real queue trigger: the code that the Functions host runs, set up as that host sets it up.</summary>
internal static class WebJobsHost
{
    // The Functions host reads host.json into this section and points the SDK at it.
    private const string Root = "AzureFunctionsJobHost";

    /// <param name="builder">Its configuration has the connection.</param>
    /// <param name="queues">Settings for <c>extensions.queues</c> to use in place of the shipped ones.</param>
    /// <param name="jobs">The classes with the functions; their constructors are filled from the services.</param>
    public static void AddWebJobs(this HostApplicationBuilder builder, IReadOnlyDictionary<string, string?> queues, params Type[] jobs)
    {
        var hostJson = new ConfigurationBuilder().AddJsonFile(Path.Combine(AppContext.BaseDirectory, "host.json")).Build();
        builder.Configuration
            .AddInMemoryCollection([new("AzureWebJobsConfigurationSection", Root)])
            .AddInMemoryCollection(hostJson.AsEnumerable().Select(setting => KeyValuePair.Create($"{Root}:{setting.Key}", setting.Value)))
            .AddInMemoryCollection(queues.Select(setting => KeyValuePair.Create($"{Root}:extensions:queues:{setting.Key}", setting.Value)));

        builder.Services.AddSingleton<ITypeLocator>(new Jobs(jobs));
        builder.Services.AddSingleton<WebJobsFailures>();
        builder.Services.AddSingleton<IWebJobsExceptionHandlerFactory>(s => s.GetRequiredService<WebJobsFailures>());
        builder.Services.AddWebJobs(_ => { }).AddAzureStorageQueues();
        builder.Services.AddHostedService<JobHostService>();
    }

    private sealed class Jobs(IReadOnlyList<Type> types) : ITypeLocator
    {
        public IReadOnlyList<Type> GetTypes() => types;
    }
}

/// <summary>The trigger's own failures. The SDK's handler would end the process, and the tests with it.</summary>
internal sealed class WebJobsFailures : IWebJobsExceptionHandlerFactory, IWebJobsExceptionHandler
{
    public ConcurrentQueue<Exception> All { get; } = new();

    public IWebJobsExceptionHandler Create(IHost jobHost) => this;

    public Task OnTimeoutExceptionAsync(ExceptionDispatchInfo exceptionInfo, TimeSpan timeoutGracePeriod) =>
        OnUnhandledExceptionAsync(exceptionInfo);

    public Task OnUnhandledExceptionAsync(ExceptionDispatchInfo exceptionInfo)
    {
        All.Enqueue(exceptionInfo.SourceException);
        return Task.CompletedTask;
    }
}

internal sealed class StoreEventsJob(QueueFunctions functions)
{
    [FunctionName("StoreEvents")]
    public Task StoreEvents([QueueTrigger(WebhookQueue.Name, Connection = StorageOptions.Connection)] QueueMessage message) =>
        functions.StoreEventsAsync(message, CancellationToken.None);
}

internal sealed class KeepPoisonJob(QueueFunctions functions)
{
    [FunctionName("KeepPoison")]
    public Task KeepPoison([QueueTrigger(WebhookQueue.PoisonName, Connection = StorageOptions.Connection)] QueueMessage message) =>
        functions.KeepPoisonAsync(message, CancellationToken.None);
}
