namespace Smtp2GoIngest.Tests;

internal static class Eventually
{
    /// <summary>Asks until the answer is right. Fails with the last answer after <see cref="Test.Patience"/>.</summary>
    public static async Task<T> Get<T>(Func<Task<T>> ask, Func<T, bool> isRight)
    {
        var deadline = DateTimeOffset.UtcNow + Test.Patience;
        for (var pause = 20; ;)
        {
            var answer = await ask();
            if (isRight(answer))
            {
                return answer;
            }

            Assert.True(
                DateTimeOffset.UtcNow < deadline, $"Not within {Test.Patience.TotalMinutes} minutes; the last answer was {answer}.");
            await Task.Delay(pause, Test.Token);
            pause = Math.Min(pause * 2, 160);
        }
    }
}
