using Microsoft.Extensions.Configuration;
using Smtp2GoIngest.Reconciling;

namespace Smtp2GoIngest.Tool.Commands;

/// <summary>The settings without which SMTP2GO cannot be asked anything.</summary>
internal static class Smtp2GoSettings
{
    /// <exception cref="CommandFailedException">There is no key, or no call can succeed with these settings.</exception>
    public static void Require(CommandContext context)
    {
        var options = new Smtp2GoOptions();
        context.Settings.GetSection(Smtp2GoOptions.Section).Bind(options);
        var checkedOptions = new Smtp2GoOptionsValidator().Validate(null, options);
        if (checkedOptions.Failed)
        {
            throw new CommandFailedException(checkedOptions.FailureMessage, ExitCode.WrongUsage);
        }

        if (!options.HasKey || options.IsUnresolved)
        {
            throw new CommandFailedException(
                "Set Smtp2Go__ApiKey, in the environment or in local.settings.json, to an API key of your SMTP2GO account. "
                + "It needs the permissions /activity/search and /webhook/view, and no others.",
                ExitCode.WrongUsage);
        }
    }
}
