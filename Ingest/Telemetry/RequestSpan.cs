using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Smtp2GoIngest.Telemetry;

/// <summary>Describes the span of a request. Without this, an exporter reports a success with status 0, whatever the answer was.</summary>
internal static class RequestSpan
{
    /// <param name="route">The template, never the path, which may contain a secret.</param>
    public static void Describe(string method, string route, IResult answer)
    {
        if (Activity.Current is not { } span)
        {
            return;
        }

        var status = (answer as IStatusCodeHttpResult)?.StatusCode;
        span.SetTag(
            "http.request.method",
            HttpMethods.IsPost(method) ? HttpMethods.Post : HttpMethods.IsGet(method) ? HttpMethods.Get : "_OTHER");
        span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", status);
        if (status >= StatusCodes.Status500InternalServerError)
        {
            span.SetStatus(ActivityStatusCode.Error, (answer as ProblemHttpResult)?.ProblemDetails.Title);
        }
    }
}
