namespace Smtp2GoIngest.Tests;

internal static class Eventually
{
    /// <summary>Asks until the answer is right; fails with the last one after a minute, which no healthy run comes near.</summary>
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
