return await Smtp2GoIngest.SelfHost.SelfHostedApp.RunAsync(args);
