namespace Smtp2GoIngest.Tests;

internal static class Eventually
{
    /// <summary>Asks until the answer is right. Fails with the last answer after a minute, far longer than a healthy run takes.</summary>
    public static async Task<T> Get<T>(Func<Task<T>> ask, Func<T, bool> isRight)
    {
        var deadline = DateTimeOffset.UtcNow.AddMinutes(1);
        for (var pause = 20; ;)
        {
            var answer = await ask();
            if (isRight(answer))
            {
                return answer;
            }

            Assert.True(DateTimeOffset.UtcNow < deadline, $"Not within a minute; the last answer was {answer}.");
            await Task.Delay(pause, Test.Token);
            pause = Math.Min(pause * 2, 160);
        }
    }
}
