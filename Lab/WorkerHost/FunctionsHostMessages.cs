using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues.Models;
using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Smtp2GoIngest.Lab.WorkerHost.Rpc;

namespace Smtp2GoIngest.Lab.WorkerHost;

/// <summary>What the host says about a function, and what it passes to one with a call.</summary>
internal static class FunctionsHostMessages
{
    public static StreamingMessage Load(RpcFunctionMetadata function)
    {
        var metadata = new RpcFunctionMetadata { Name = function.Name, EntryPoint = function.EntryPoint, ScriptFile = function.ScriptFile };
        foreach (var binding in function.RawBindings.Select(raw => JsonNode.Parse(raw)!))
        {
            metadata.Bindings.Add((string)binding["name"]!, new BindingInfo
            {
                Type = (string)binding["type"]!,
                Direction = Enum.Parse<BindingInfo.Types.Direction>((string)binding["direction"]!, ignoreCase: true),
            });
        }

        return new() { FunctionLoadRequest = new() { FunctionId = function.FunctionId, Metadata = metadata } };
    }

    /// <summary>A worker with an HTTP port gets an empty request, plus the values that parameters may bind to.</summary>
    /// <remarks>
    /// <c>HttpTriggerAttributeBindingProvider</c> of https://github.com/Azure/azure-webjobs-sdk-extensions gathers them: fields of a JSON
    /// object except lists, then the query, then the route. A later one wins.
    /// </remarks>
    public static InvocationRequest Request(HttpRequest request, string body, RouteValueDictionary route)
    {
        var data = new Dictionary<string, TypedData>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in FieldsOf(body))
        {
            data[name] = value.GetValueKind() == JsonValueKind.String ? Text((string)value!) : new() { Json = value.ToJsonString() };
        }

        foreach (var (name, value) in request.Query.Where(pair => !string.Equals(pair.Key, "code", StringComparison.OrdinalIgnoreCase)))
        {
            data[name] = Text(value.ToString());
        }

        foreach (var (name, value) in route)
        {
            data[name] = Text($"{value}");
        }

        data.TryAdd("Query", Json(request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString())));
        data.TryAdd("Headers", Json(request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString())));
        return new()
        {
            InputData = { new ParameterBinding { Name = "request", Data = new() { Http = new() } } },
            TriggerMetadata = { data },
        };
    }

    public static InvocationRequest Message(QueueMessage message) => new()
    {
        InputData =
        {
            new ParameterBinding
            {
                Name = "message",
                Data = new()
                {
                    ModelBindingData = new()
                    {
                        Version = "1.0",
                        Source = "AzureStorageQueues",
                        ContentType = "application/json",
                        Content = ByteString.CopyFrom(JsonSerializer.SerializeToUtf8Bytes(new
                        {
                            message.MessageId,
                            message.PopReceipt,
                            MessageText = message.Body.ToString(),
                            Body = new { },
                            message.NextVisibleOn,
                            message.InsertedOn,
                            message.ExpiresOn,
                            message.DequeueCount,
                        })),
                    },
                },
            },
        },
        TriggerMetadata =
        {
            ["QueueTrigger"] = Text(message.Body.ToString()),
            ["DequeueCount"] = Json(message.DequeueCount),
            ["ExpirationTime"] = Json(message.ExpiresOn),
            ["Id"] = Text(message.MessageId),
            ["InsertionTime"] = Json(message.InsertedOn),
            ["NextVisibleTime"] = Json(message.NextVisibleOn),
            ["PopReceipt"] = Text(message.PopReceipt),
        },
    };

    public static InvocationRequest Tick() => new()
    {
        InputData =
        {
            new ParameterBinding
            {
                Name = "timer",
                Data = new() { Json = """{"Schedule":{"AdjustForDST":true},"ScheduleStatus":null,"IsPastDue":false}""" },
            },
        },
    };

    private static IEnumerable<KeyValuePair<string, JsonNode>> FieldsOf(string body)
    {
        try
        {
            return JsonNode.Parse(body) is not JsonObject json ? []
                : json.Where(field => field.Value is not null and not JsonArray)
                    .Select(field => KeyValuePair.Create(field.Key, field.Value!));
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static TypedData Text(string text) => new() { String = text };

    private static TypedData Json<T>(T value) => new() { Json = JsonSerializer.Serialize(value) };
}
