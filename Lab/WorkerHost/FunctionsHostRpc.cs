using System.Collections.Concurrent;
using System.Threading.Channels;
using Grpc.Core;
using Smtp2GoIngest.Lab.WorkerHost.Rpc;

namespace Smtp2GoIngest.Lab.WorkerHost;

/// <summary>The host's end of the stream between host and worker: questions, their answers, and the worker's log.</summary>
internal sealed class FunctionsHostRpc : FunctionRpc.FunctionRpcBase
{
    /// <summary>How long anything may take, far longer than in a healthy run.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<StreamingMessage>> asked = new();
    private readonly ConcurrentQueue<RpcLog> log = new();
    private readonly Channel<StreamingMessage> outgoing = Channel.CreateUnbounded<StreamingMessage>();
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the worker has opened the stream.</summary>
    public Task Started => started.Task;

    public IReadOnlyCollection<RpcLog> Log => log;

    public void Send(StreamingMessage message) => outgoing.Writer.TryWrite(message);

    /// <summary>Sends a message and returns the worker's answer to it.</summary>
    /// <exception cref="IOException">The worker ended before it answered.</exception>
    public async Task<StreamingMessage> AskAsync(StreamingMessage question, string? id = null)
    {
        question.RequestId = id ?? $"{Guid.NewGuid()}";
        var answer = asked[question.RequestId] = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Send(question);
        return await answer.Task.WaitAsync(Patience);
    }

    public override async Task EventStream(
        IAsyncStreamReader<StreamingMessage> requestStream, IServerStreamWriter<StreamingMessage> responseStream, ServerCallContext context)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        var sending = SendAllAsync(responseStream, ended.Token);
        try
        {
            await foreach (var message in requestStream.ReadAllAsync(ended.Token))
            {
                Take(message);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The worker's process has ended.
        }

        await ended.CancelAsync();
        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var answer in asked.Values)
        {
            answer.TrySetException(new IOException("The worker has ended."));
        }
    }

    private void Take(StreamingMessage message)
    {
        switch (message.ContentCase)
        {
            case StreamingMessage.ContentOneofCase.StartStream:
                started.TrySetResult();
                break;
            case StreamingMessage.ContentOneofCase.RpcLog:
                log.Enqueue(message.RpcLog);
                break;
            default:
                if (asked.TryRemove(message.RequestId, out var answer))
                {
                    answer.TrySetResult(message);
                }

                break;
        }
    }

    private async Task SendAllAsync(IServerStreamWriter<StreamingMessage> stream, CancellationToken cancellationToken)
    {
        await foreach (var message in outgoing.Reader.ReadAllAsync(cancellationToken))
        {
            await stream.WriteAsync(message, cancellationToken);
        }
    }
}
