using Azure.Data.Tables;
using Microsoft.AspNetCore.Components;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Tool.Studio.Components;
using Smtp2GoIngest.Tool.Studio.Pages;

namespace Smtp2GoIngest.Tests.Studio;

/// <summary>What is found after nobody wants to know it any more changes nothing.</summary>
public sealed class LeftQuestionTests(AzuriteFixture azurite)
{
    [Theory]
    [InlineData(typeof(InvalidOperationException))]
    [InlineData(typeof(OperationCanceledException))]
    public async Task A_question_that_fails_after_another_took_its_place_does_not_break_the_page(Type failure)
    {
        await using var page = ConnectedPage.Of("UseDevelopmentStorage=true", "search");
        TaskCompletionSource<string> first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var (about, shown) = (1, string.Empty);
        Action refresh = null!;
        await page.ShowAsync(
            builder =>
            {
                builder.OpenComponent<Answer<string>>(0);
                builder.AddAttribute(1, "For", (object)about);
                builder.AddAttribute(2, "Question", AskAsync);
                builder.AddAttribute(3, "ChildContent", (RenderFragment<string>)(answer => _ => shown = answer));
                builder.CloseComponent();
            },
            it => refresh = it);
        await asked.Task;

        about = 2;
        await page.Dispatcher.InvokeAsync(refresh);
        await Eventually.Get(() => Task.FromResult(shown), it => it == "second");
        first.SetException((Exception)Activator.CreateInstance(failure)!);
        await Task.Delay(300, Test.Token);
        await page.Dispatcher.InvokeAsync(refresh);

        Assert.Empty(page.Failures);
        Assert.Equal("second", shown);

        Task<string> AskAsync(CancellationToken token)
        {
            asked.TrySetResult();
            return about == 1 ? first.Task : Task.FromResult("second");
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_search_that_was_left_does_not_go_anywhere(bool isLeft)
    {
        var account = azurite.NewAccount();
        var table = new TableClient(account, EventStore.TableName);
        await table.CreateAsync(Test.Token);
        await table.AddEntityAsync(new TableEntity("1wleft", "row"), Test.Token);
        await using var page = ConnectedPage.Of(account, "search?for=1wleft");

        // While the page is busy the search finds its email, and waits to go there.
        await page.Dispatcher.InvokeAsync(() =>
        {
            _ = page.ShowAsync<Search>();
            Thread.Sleep(TimeSpan.FromSeconds(3));
            if (isLeft)
            {
                page.Leave();
            }
        });
        await Task.Delay(500, Test.Token);

        Assert.Equal(isLeft ? [] : ["email?id=1wleft"], page.Visited);
    }
}
