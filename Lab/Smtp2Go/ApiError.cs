using System.Text.Json.Nodes;

namespace Smtp2GoIngest.Lab.Smtp2Go;

/// <summary>A call that the API refuses.</summary>
/// <param name="code">Without the prefix that all codes have.</param>
/// <param name="field">The field of the request that is wrong, if it is one.</param>
internal sealed class ApiError(int status, string code, string message, string? field = null) : Exception(message)
{
    private const string Prefix = "E_ApiResponseCodes.";

    public int Status => status;

    public static ApiError NoKey() => new(401, "API_EXCEPTION", "The API key passed was not in the correct format or is unknown.");

    public static ApiError NotPermitted() =>
        new(400, "ENDPOINT_PERMISSION_DENIED", "You do not have permission to access this API endpoint.");

    public static ApiError TooManyCalls() => new(429, "REQ_LIMIT_EXCEEDED", "Too many requests. Try again later.");

    public static ApiError Invalid(string field, string message) => new(400, "NON_VALIDATING_IN_PAYLOAD", message, field);

    public static ApiError Other(int status, string message = "An unexpected error occurred.") => new(status, "API_EXCEPTION", message);

    /// <summary>What stands beside <c>request_id</c>, in one of the two shapes.</summary>
    public JsonObject ToJson(bool atRoot, bool fieldsAsArray)
    {
        JsonObject error = new() { ["error"] = Message, ["error_code"] = Prefix + code };
        if (field is not null)
        {
            JsonObject wrong = new() { ["fieldname"] = field, ["message"] = Message };
            error["field_validation_errors"] = fieldsAsArray ? new JsonArray(wrong) : wrong;
        }

        return atRoot ? error : new JsonObject { ["data"] = error };
    }
}
