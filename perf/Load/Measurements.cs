namespace Smtp2GoIngest.Perf.Load;

/// <summary>One measurement of receiving.</summary>
/// <param name="CpuPerThousand">Processor time of the side's process for a thousand acknowledged webhooks, in seconds.</param>
/// <param name="SendsPerThousand">
/// Queue messages sent for a thousand acknowledged webhooks; NaN if they are taken out again in the meantime.
/// </param>
/// <param name="PeakMemory">The largest working set of the side's process so far, in MB.</param>
internal sealed record Receiving(Seen Seen, double CpuPerThousand, double SendsPerThousand, double PeakMemory);

/// <summary>One measurement of storing a backlog.</summary>
/// <param name="RequestsPerThousand">HTTP requests for a thousand events, including the polls of the queue.</param>
internal sealed record Draining(
    double EventsPerSecond, double RowsPerSecond, double CpuPerThousand, double RequestsPerThousand, double PeakMemory);

/// <summary>A process of the app that receives many webhooks and stores them: its memory in MB, and what a thousand cost.</summary>
internal sealed record Flood(
    int Webhooks, double AfterAQuarter, double AtTheEnd, double AtMost, double CpuPerThousand, double RequestsPerThousand);
