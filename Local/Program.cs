using Smtp2GoIngest.Local;

using var interrupted = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    e.Cancel = true;
    interrupted.Cancel();
};
return await DemoCommand.RunAsync(args, Console.Out, Console.Error, DemoPlace.Usual, interrupted.Token);
