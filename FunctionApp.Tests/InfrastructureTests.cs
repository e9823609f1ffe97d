using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Smtp2GoIngest.Classifying;
using Smtp2GoIngest.Queueing;
using Smtp2GoIngest.Receiving;
using Smtp2GoIngest.Reconciling;
using Smtp2GoIngest.Storing;
using Smtp2GoIngest.Telemetry;

namespace Smtp2GoIngest.Tests;

/// <summary>What <c>infra/</c> would deploy agrees with the code. The Bicep CLI compiles it; nothing is deployed.</summary>
public sealed class InfrastructureTests
{
    // The id of each built-in role, and the type of resource it is assigned on.
    private static readonly string[] Roles =
    [
        "b7e6dc6d-f1e8-4753-8033-0f276bb0955b Microsoft.Storage/storageAccounts", // Storage Blob Data Owner
        "974c5e8b-45b9-4653-ba55-5f855dd0fb88 Microsoft.Storage/storageAccounts", // Storage Queue Data Contributor
        "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3 Microsoft.Storage/storageAccounts", // Storage Table Data Contributor
        "4633458b-17de-408a-b874-0445c86b69e6 Microsoft.KeyVault/vaults", // Key Vault Secrets User
        "3913510d-42f4-4e42-8a64-420c390055eb Microsoft.Insights/components", // Monitoring Metrics Publisher
    ];

    private static readonly Regex KeyOrSignature =
        new(@"\blist\w*\(|AccountKey|SharedAccess|[?&]sig=", RegexOptions.IgnoreCase | RegexOptions.NonBacktracking);

    private static readonly Regex ScopeType =
        new(@"/providers/(?<type>[A-Za-z.]+/[A-Za-z]+)/[^/]+', 'Microsoft\.Authorization/roleAssignments'", RegexOptions.NonBacktracking);

    private static readonly Regex OurSetting = new("^(?:Webhook|Events|EventStorage|Smtp2Go)__", RegexOptions.NonBacktracking);
    private static readonly Regex MetricName = new("name == '(?<metric>[^']+)'", RegexOptions.NonBacktracking);
    private static readonly Regex WhereMissing = new(@"coalesce\(seconds, (?<seconds>[0-9.]+)\)", RegexOptions.NonBacktracking);
    private static readonly Regex PassingReason = new(@"passing = reason in \((?<reasons>[^)]+)\)", RegexOptions.NonBacktracking);
    private static readonly Regex Runbook = new(@"^.{30,}\n1\. .+\n2\. ", RegexOptions.Singleline | RegexOptions.NonBacktracking);

    [Fact]
    public void No_key_and_no_shared_access_signature_is_in_the_template() => Assert.DoesNotMatch(KeyOrSignature, Template);

    [Fact]
    public void The_key_of_SMTP2GO_is_a_secure_parameter_and_goes_only_into_the_vault()
    {
        var parameter = JsonNode.Parse(Template)!["parameters"]!["smtp2goApiKey"]!;

        Assert.Equal(("securestring", string.Empty), ((string?)parameter["type"], (string?)parameter["defaultValue"]));
        Assert.Equal(
            ["smtp2go-api-key"],
            Resources.Where(r => Unquoted(r).Replace("empty(parameters(smtp2goApiKey))", string.Empty, StringComparison.Ordinal)
                .Contains("smtp2goApiKey", StringComparison.Ordinal)
                && r["type"]!.GetValue<string>() != "Microsoft.Insights/scheduledQueryRules").Select(Name));
        Assert.All(Alerts(), r => Assert.DoesNotContain("smtp2goApiKey", Query(r), StringComparison.Ordinal));
        Assert.Contains(
            "param smtp2goApiKey = readEnvironmentVariable('SMTP2GO_API_KEY', '')",
            Text("infra", "main.bicepparam"),
            StringComparison.Ordinal);

        static string Unquoted(JsonNode node) => node.ToJsonString().Replace(@"\u0027", string.Empty, StringComparison.Ordinal);
    }

    [Fact]
    public void The_passwords_are_secure_parameters_and_go_only_into_the_vault()
    {
        var parameters = JsonNode.Parse(Template)!["parameters"]!;

        Assert.Equal("securestring", parameters["webhookPassword"]!["type"]!.GetValue<string>());
        Assert.Null(parameters["webhookPassword"]!["defaultValue"]);
        Assert.Equal(WebhookOptions.MinPasswordLength, parameters["webhookPassword"]!["minLength"]!.GetValue<int>());
        Assert.Equal("securestring", parameters["previousWebhookPassword"]!["type"]!.GetValue<string>());
        Assert.Equal(
            ["webhook-password"],
            Resources.Where(r => r.ToJsonString().Contains("webhookPassword", StringComparison.Ordinal)).Select(Name));
        Assert.Equal(["webhook-password", "webhook-previous-password", "smtp2go-api-key"], NamesOf("Microsoft.KeyVault/vaults/secrets"));
        Assert.Contains("param webhookPassword = readEnvironmentVariable('", Text("infra", "main.bicepparam"), StringComparison.Ordinal);
    }

    [Fact]
    public void Storage_accepts_no_key_and_no_plain_HTTP_and_shows_nothing_to_the_public()
    {
        var properties = Only("Microsoft.Storage/storageAccounts")["properties"]!;

        Assert.False(properties["allowSharedKeyAccess"]!.GetValue<bool>());
        Assert.False(properties["allowBlobPublicAccess"]!.GetValue<bool>());
        Assert.True(properties["supportsHttpsTrafficOnly"]!.GetValue<bool>());
        Assert.Equal("TLS1_2", properties["minimumTlsVersion"]!.GetValue<string>());
    }

    [Fact]
    public void The_app_answers_only_over_TLS_and_is_published_without_a_password()
    {
        var properties = Only("Microsoft.Web/sites")["properties"]!;

        Assert.True(properties["httpsOnly"]!.GetValue<bool>());
        Assert.Equal("1.2", properties["siteConfig"]!["minTlsVersion"]!.GetValue<string>());
        Assert.Equal("Disabled", properties["siteConfig"]!["ftpsState"]!.GetValue<string>());
        Assert.Equal(["ftp", "scm"], NamesOf("Microsoft.Web/sites/basicPublishingCredentialsPolicies"));
        Assert.All(
            Of("Microsoft.Web/sites/basicPublishingCredentialsPolicies"), r => Assert.False(r["properties"]!["allow"]!.GetValue<bool>()));
    }

    [Fact]
    public void Telemetry_and_secrets_are_reached_only_by_identity()
    {
        Assert.True(Only("Microsoft.Insights/components")["properties"]!["DisableLocalAuth"]!.GetValue<bool>());
        Assert.True(Only("Microsoft.KeyVault/vaults")["properties"]!["enableRbacAuthorization"]!.GetValue<bool>());
        Assert.Contains("Authorization=AAD", Settings["APPLICATIONINSIGHTS_AUTHENTICATION_STRING"], StringComparison.Ordinal);
        Assert.Contains("'@Microsoft.KeyVault(SecretUri=", Settings["Webhook__Password"], StringComparison.Ordinal);
        Assert.Contains("'@Microsoft.KeyVault(SecretUri=", Settings["Webhook__PreviousPassword"], StringComparison.Ordinal);
        Assert.Contains("'@Microsoft.KeyVault(SecretUri=", Settings["Smtp2Go__ApiKey"], StringComparison.Ordinal);
    }

    [Fact]
    public void The_app_runs_as_an_isolated_worker_on_this_same_runtime_on_Flex_Consumption()
    {
        var site = Only("Microsoft.Web/sites");
        var flex = site["properties"]!["functionAppConfig"]!;

        Assert.Equal("FC1", Only("Microsoft.Web/serverfarms")["sku"]!["name"]!.GetValue<string>());
        Assert.Equal("functionapp,linux", site["kind"]!.GetValue<string>());
        Assert.Equal("dotnet-isolated", flex["runtime"]!["name"]!.GetValue<string>());
        Assert.Equal($"{Environment.Version.Major}.0", flex["runtime"]!["version"]!.GetValue<string>());
        Assert.Equal(250, flex["scaleAndConcurrency"]!["triggers"]!["http"]!["perInstanceConcurrency"]!.GetValue<int>());
        Assert.Contains(NamesOf("Microsoft.Storage/storageAccounts/blobServices/containers"), name =>
            flex["deployment"]!["storage"]!["value"]!.GetValue<string>().Contains($"'{name}'", StringComparison.Ordinal));
    }

    [Fact]
    public void One_identity_fetches_the_package_and_the_secrets()
    {
        var site = Only("Microsoft.Web/sites");
        var identity = Only("Microsoft.ManagedIdentity/userAssignedIdentities")["id"]!.GetValue<string>();
        var deployment = site["properties"]!["functionAppConfig"]!["deployment"]!["storage"]!["authentication"]!;

        Assert.Equal([identity], site["identity"]!["userAssignedIdentities"]!.AsObject().Select(p => p.Key));
        Assert.Equal(identity, site["properties"]!["keyVaultReferenceIdentity"]!.GetValue<string>());
        Assert.Equal("UserAssignedIdentity", deployment["type"]!.GetValue<string>());
        Assert.Equal(identity, deployment["userAssignedIdentityResourceId"]!.GetValue<string>());
    }

    [Fact]
    public void The_identity_has_the_roles_that_the_code_needs_and_no_other()
    {
        var roles = Of("Microsoft.Authorization/roleAssignments")
            .Select(r =>
                r["properties"]!["roleDefinitionId"]!.GetValue<string>().Split('/')[^1]
                + " "
                + ScopeType.Match(r["id"]!.GetValue<string>()).Groups["type"].Value);

        Assert.Equal(Roles.Order(StringComparer.Ordinal), roles.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_queue_table_and_container_that_the_code_names_is_deployed()
    {
        Assert.Equal([WebhookQueue.Name, WebhookQueue.PoisonName], NamesOf("Microsoft.Storage/storageAccounts/queueServices/queues"));
        Assert.Contains(WebhookBlobs.ContainerName, NamesOf("Microsoft.Storage/storageAccounts/blobServices/containers"));
        var tables = typeof(StorageOptions).Assembly.GetTypes()
            .SelectMany(type => Constants(type, name => name == "TableName" || name.EndsWith("Table", StringComparison.Ordinal)));
        Assert.Equal(
            tables.Order(StringComparer.Ordinal),
            NamesOf("Microsoft.Storage/storageAccounts/tableServices/tables").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_app_would_start_with_these_settings()
    {
        // Values that only a deployment knows are replaced by examples.
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(Settings.Select(p => KeyValuePair.Create(
            p.Key.Replace("__", ":", StringComparison.Ordinal),
            (string?)(!p.Value.StartsWith('[') ? p.Value
                : p.Key.EndsWith("Uri", StringComparison.Ordinal) ? "https://storage.example/"
                : "what-the-deployment-knows")))).Build();
        var storage = configuration.GetSection(StorageOptions.Connection).Get<StorageOptions>()!;
        var webhook = configuration.GetSection(WebhookOptions.Section).Get<WebhookOptions>()!;

        Assert.Null(new StorageOptionsValidator().Validate(null, storage).FailureMessage);
        Assert.Null(new WebhookOptionsValidator(new AppEnvironment(IsAzure: true, IsPublic: true)).Validate(null, webhook).FailureMessage);
        Assert.Null(
            new EventsOptionsValidator()
                .Validate(null, configuration.GetSection(EventsOptions.Section).Get<EventsOptions>()!)
                .FailureMessage);
        Assert.Null(
            new Smtp2GoOptionsValidator()
                .Validate(null, configuration.GetSection(Smtp2GoOptions.Section).Get<Smtp2GoOptions>()!)
                .FailureMessage);
        Assert.Equal("managedidentity", storage.Credential);
        Assert.NotNull(storage.ClientId);
        Assert.Equal(SecretWays.Basic | SecretWays.Bearer, webhook.Accept);
    }

    [Fact]
    public void The_host_finds_its_storage_and_its_telemetry()
    {
        string[] needed =
        [
            "AzureWebJobsStorage__blobServiceUri", "AzureWebJobsStorage__queueServiceUri", "AzureWebJobsStorage__tableServiceUri",
            "AzureWebJobsStorage__credential", "AzureWebJobsStorage__clientId", "APPLICATIONINSIGHTS_CONNECTION_STRING",
        ];

        Assert.Empty(needed.Except(Settings.Where(p => p.Value.Length > 0).Select(p => p.Key)));
    }

    [Fact]
    public void The_host_limits_bodies_hides_its_home_page_and_does_not_trace_the_azure_sdk()
    {
        var limit = int.Parse(Settings["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"], CultureInfo.InvariantCulture);

        Assert.Equal(2 * new WebhookOptions().MaxBodyBytes, limit);
        Assert.Equal("true", Settings["AzureWebJobsDisableHomepage"]);
        Assert.Equal("true", Settings["AZURE_TRACING_DISABLED"]);
    }

    [Fact]
    public void What_is_deleted_by_mistake_can_be_restored_for_a_week_and_telemetry_has_a_price_limit()
    {
        var deleted = Only("Microsoft.Storage/storageAccounts/blobServices")["properties"]!["deleteRetentionPolicy"]!;
        var cap = Only("Microsoft.OperationalInsights/workspaces")["properties"]!["workspaceCapping"]!;
        var parameter = JsonNode.Parse(Template)!["parameters"]!["dailyTelemetryGB"]!;

        Assert.True(deleted["enabled"]!.GetValue<bool>());
        Assert.Equal(7, deleted["days"]!.GetValue<int>());
        Assert.Equal(1, cap["dailyQuotaGb"]!.GetValue<int>());
        Assert.Equal((1, -1), (parameter["defaultValue"]!.GetValue<int>(), parameter["minValue"]!.GetValue<int>()));
    }

    [Theory]
    [InlineData("smtp2go", true)]
    [InlineData("a1b2c3d4e5", true)]
    [InlineData("2smtp", false)]
    [InlineData("Smtp2go", false)]
    [InlineData("my-mail", false)]
    public async Task A_name_that_a_resource_cannot_have_is_refused_before_anything_is_created(string name, bool isAccepted)
    {
        _ = Resources;
        var folder = Path.Combine(Repository.Root, "artifacts");
        var bicep = Assert.Single(Directory.GetFiles(Path.Combine(folder, "bicep"), "bicep", SearchOption.AllDirectories));
        var parameters = Path.Combine(folder, $"name-{Guid.NewGuid():n}.bicepparam");
        var snapshot = Path.ChangeExtension(parameters, "snapshot.json");
        try
        {
            await File.WriteAllTextAsync(
                parameters,
                $"using '../infra/main.bicep'\n\nparam name = '{name}'\nparam webhookPassword = 'only-for-the-compiler'\n",
                Test.Token);
            var start = new ProcessStartInfo(
                bicep,
                ["snapshot", parameters, "--mode", "overwrite", "--resource-group", "g", "--location", "westeurope",
                    "--subscription-id", $"{Guid.Empty}", "--deployment-name", "main"])
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(Test.Token);
            var errors = await process.StandardError.ReadToEndAsync(Test.Token);
            await process.WaitForExitAsync(Test.Token);

            Assert.Equal(isAccepted, process.ExitCode == 0);
            Assert.Equal(
                !isAccepted, (errors + await output).Contains("name must begin with a lower-case letter", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(parameters);
            File.Delete(snapshot);
        }
    }

    [Fact]
    public void Every_setting_of_ours_is_an_option_in_the_code()
    {
        var options = typeof(StorageOptions).Assembly.GetTypes()
            .SelectMany(type => Constants(type, name => name is "Section" or "Connection")
                .SelectMany(section => type.GetProperties().Select(p => $"{section}__{p.Name}")));

        Assert.Empty(Settings.Keys.Where(name => OurSetting.IsMatch(name)).Except(options, StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public void No_setting_shadows_a_connection_or_is_one_that_Flex_refuses()
    {
        string[] refused = ["FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE"];

        Assert.DoesNotContain(
            Settings.Keys, name => name.StartsWith($"AzureWebJobs{StorageOptions.Connection}", StringComparison.OrdinalIgnoreCase));
        Assert.DoesNotContain(Settings.Keys, name => refused.Contains(name, StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public void Only_listed_addresses_and_the_availability_test_are_let_in()
    {
        var config = Only("Microsoft.Web/sites")["properties"]!["siteConfig"]!;

        Assert.Equal("Deny", config["ipSecurityRestrictionsDefaultAction"]!.GetValue<string>());
        Assert.Equal(
            ["192.0.2.0/24", "ApplicationInsightsAvailability"],
            config["ipSecurityRestrictions"]!.AsArray().Select(r => r!["ipAddress"]!.GetValue<string>()));
    }

    [Fact]
    public void What_costs_or_refuses_is_off_unless_asked_for()
    {
        var parameters = JsonNode.Parse(Template)!["parameters"]!;

        Assert.Equal(0, parameters["alwaysReadyHttpInstances"]!["defaultValue"]!.GetValue<int>());
        Assert.False(parameters["availabilityTest"]!["defaultValue"]!.GetValue<bool>());
        Assert.False(parameters["alertOnSilence"]!["defaultValue"]!.GetValue<bool>());
        Assert.Empty(parameters["allowedIpRanges"]!["defaultValue"]!.AsArray());
        Assert.Empty(parameters["allowedSources"]!["defaultValue"]!.AsArray());
        Assert.Equal(0, parameters["retentionDays"]!["defaultValue"]!.GetValue<int>());
        Assert.All(
            parameters.AsObject(),
            p => Assert.False(string.IsNullOrEmpty(p.Value!["metadata"]?["description"]?.GetValue<string>()), p.Key));
    }

    [Fact]
    public void Every_alert_reads_a_metric_that_the_code_measures()
    {
        var queried = Alerts().SelectMany(r => MetricName.Matches(Query(r)).Select(m => m.Groups["metric"].Value)).ToHashSet();

        Assert.Equal(
            [
                "events.bounced", "events.delivery.duration", "events.missing", "events.rejected", "events.stored", "queue.oldest.age",
                "webhooks.dead_lettered", "webhooks.received", "webhooks.refused",
            ],
            queried.Order(StringComparer.Ordinal));
        Assert.Empty(queried.Except(Instruments()));
        Assert.Contains($"'{Refusal.WrongSecret.Reason}'", Query(Alert("wrong-secret")), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_refusal_that_can_lose_a_webhook_raises_an_alert_whose_runbook_names_it()
    {
        var refused = Alert("refused");
        var query = Query(refused);
        Refusal[] known = [Refusal.UnknownPath, Refusal.Method, Refusal.WrongSecret];
        var left = typeof(Refusal).GetFields(BindingFlags.Static | BindingFlags.Public)
            .Select(field => (Refusal)field.GetValue(null)!)
            .Except(known)
            .Select(refusal => refusal.Reason)
            .ToList();

        // All but those that a stranger's request gets, so that a new reason raises the alert too.
        Assert.Contains($"reason !in ({Quoted(known.Select(refusal => refusal.Reason))})", query, StringComparison.Ordinal);
        Assert.Equal(12, left.Count);
        Assert.All(left, reason => Assert.Contains(
            reason, Regex.Split(Description(refused), "[^a-z-]+", RegexOptions.NonBacktracking)));
        Assert.All(PassingReason.Match(query).Groups["reasons"].Value.Split(", "), reason => Assert.Contains(reason.Trim('\''), left));

        static string Quoted(IEnumerable<string> reasons) => string.Join(", ", reasons.Select(reason => $"'{reason}'"));
    }

    [Fact]
    public void Every_alert_says_what_to_do_reaches_somebody_and_is_in_the_manual()
    {
        var manual = Text("docs", "operations.md");
        var all = Alerts().Concat(Of("Microsoft.Insights/metricAlerts")).ToList();

        Assert.Equal(14, all.Count);
        Assert.All(all, alert =>
        {
            Assert.Matches(Runbook, Description(alert));
            Assert.Contains("/actionGroups/smtp2go", alert["properties"]!["actions"]!.ToJsonString(), StringComparison.Ordinal);
            Assert.Contains(
                $"`{Name(alert).Replace("smtp2go-", string.Empty, StringComparison.Ordinal)}`", manual, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_runbook_of_hard_bounces_says_what_to_do_about_each_class_of_bounce()
    {
        string[] ofRejects = [BounceClass.Suppressed, BounceClass.SenderNotVerified, BounceClass.Sandboxed];

        foreach (var alert in (JsonNode[])[Alert("hard-bounces"), Alert("hard-bounces-high")])
        {
            Assert.All(BounceClass.All.Except(ofRejects), bounceClass => Assert.Matches(AdviceOn(bounceClass), Description(alert)));
        }

        Assert.All(
            BounceClass.All.Where(it => RejectFault.Of(it, null) == RejectFault.Sender).Append(BounceClass.Other),
            bounceClass => Assert.Matches(AdviceOn(bounceClass), Description(Alert("sender-rejects"))));

        static string AdviceOn(string bounceClass) => $@"(?m)^(?:[a-z-]+, )*{bounceClass}(?:, [a-z-]+)*: .{{20}}";
    }

    [Fact]
    public void The_limits_of_deliverability_are_parameters_and_the_runbooks_say_them()
    {
        Assert.Equal((5, 10, 100), (Default("hardBouncePercent"), Default("hardBouncePercentHigh"), Default("hardBounceLeastEvents")));
        Assert.Equal(
            (1, 3, 1_000), (Default("complaintsPerThousand"), Default("complaintsPerThousandHigh"), Default("complaintLeastDelivered")));
        Assert.Equal((10, 20), (Default("slowDeliveryMinutes"), Default("slowDeliveryLeastDelivered")));
        Assert.Equal(5, Default("senderRejectLimit"));
        Assert.Equal((5, 2), Raised("hard-bounces"));
        Assert.Equal((10, 1), Raised("hard-bounces-high"));
        Assert.Equal((1, 2), Raised("complaints"));
        Assert.Equal((3, 1), Raised("complaints-high"));
        Assert.Equal((5, 1), Raised("sender-rejects"));
        Assert.Equal((50, 2), Raised("slow-delivery"));
        Assert.StartsWith("More than 10 % of the last", Description(Alert("hard-bounces-high")), StringComparison.Ordinal);
        Assert.Contains("more than 3 in 1,000", Description(Alert("complaints-high")), StringComparison.Ordinal);
        Assert.Contains("more than 10 minutes", Description(Alert("slow-delivery")), StringComparison.Ordinal);

        int Default(string parameter) => JsonNode.Parse(Template)!["parameters"]![parameter]!["defaultValue"]!.GetValue<int>();

        (int, int) Raised(string alert) => (
            Alert(alert)["properties"]!["criteria"]!["allOf"]![0]!["threshold"]!.GetValue<int>(),
            Alert(alert)["properties"]!["severity"]!.GetValue<int>());
    }

    [Fact]
    public void A_slow_delivery_can_only_be_one_that_a_range_begins_with() => Assert.Equal(
        IngestMetrics.DeliveryBounds.Where(bound => bound >= 60).Select(bound => bound / 60),
        JsonNode.Parse(Template)!["parameters"]!["slowDeliveryMinutes"]!["allowedValues"]!.AsArray().Select(v => v!.GetValue<int>()));

    [Fact]
    public void A_longer_window_is_looked_at_more_rarely() => Assert.Equal(
        ["P1D PT1H", "P2D PT1H", "PT15M PT5M", "PT1H PT15M"],
        Alerts()
            .Select(alert => $"{alert["properties"]!["windowSize"]} {alert["properties"]!["evaluationFrequency"]}")
            .Distinct()
            .Order(StringComparer.Ordinal));

    /// <summary>Without an audit, one of the two would be raised for ever.</summary>
    [Fact]
    public void The_audit_has_its_alerts_only_where_it_has_a_key_and_a_day_to_audit()
    {
        const string OnlyThen =
            "[and(not(empty(parameters('smtp2goApiKey'))), or(equals(parameters('retentionDays'), 0), "
            + "greaterOrEquals(parameters('retentionDays'), 5)))]";

        Assert.All(
            ["missing-events", "audit-stopped"], name => Assert.Equal(OnlyThen, (string?)Alert(name)["properties"]!["enabled"]));
        Assert.Equal(0, JsonNode.Parse(Template)!["parameters"]!["missingEventsLimit"]!["defaultValue"]!.GetValue<int>());
    }

    [Fact]
    public void A_watch_that_stopped_is_an_alert_too()
    {
        var alert = Alert("oldest-message");
        var threshold = alert["properties"]!["criteria"]!["allOf"]![0]!["threshold"]!.GetValue<int>();
        var missing = double.Parse(WhereMissing.Match(Query(alert)).Groups["seconds"].Value, CultureInfo.InvariantCulture);

        // The Functions host hides messages that an instance had fetched for ten minutes, even after a clean stop.
        Assert.Equal(TimeSpan.FromMinutes(20), TimeSpan.FromSeconds(threshold));
        Assert.True(missing > threshold);
    }

    [Fact]
    public void The_manual_explains_every_value_of_the_host_file()
    {
        var manual = Text("docs", "operations.md");
        var hostJson = JsonNode.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "host.json")))!;

        Assert.All(Leaves(hostJson.AsObject()), name => Assert.Contains($"| `{name}`", manual, StringComparison.Ordinal));

        static IEnumerable<string> Leaves(JsonObject node) => node.SelectMany(p => p.Value is JsonObject inner ? Leaves(inner) : [p.Key]);
    }

    private static string Text(params string[] path) => File.ReadAllText(Path.Combine([Repository.Root, .. path]));

    private static string Template => CompiledInfrastructure.Template;

    private static IReadOnlyList<JsonNode> Resources => CompiledInfrastructure.Resources;

    private static Dictionary<string, string> Settings =>
        Only("Microsoft.Web/sites/config")["properties"]!
            .AsObject()
            .ToDictionary(p => p.Key, p => p.Value!.GetValue<string>(), StringComparer.OrdinalIgnoreCase);

    private static IEnumerable<JsonNode> Of(string type) => CompiledInfrastructure.Of(type);

    private static JsonNode Only(string type) => Assert.Single(Of(type));

    private static string Name(JsonNode resource) => CompiledInfrastructure.Name(resource);

    private static IEnumerable<string> NamesOf(string type) => Of(type).Select(Name);

    private static IEnumerable<JsonNode> Alerts() => CompiledInfrastructure.Alerts;

    private static JsonNode Alert(string name) => Assert.Single(Alerts(), r => Name(r).EndsWith(name, StringComparison.Ordinal));

    private static string Description(JsonNode alert) => alert["properties"]!["description"]!.GetValue<string>();

    private static string Query(JsonNode alert) => CompiledInfrastructure.Query(alert);

    private static IEnumerable<string> Constants(Type type, Func<string, bool> named) => type
        .GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        .Where(field => field.IsLiteral && field.FieldType == typeof(string) && named(field.Name))
        .Select(field => (string)field.GetRawConstantValue()!);

    private static ConcurrentBag<string> Instruments()
    {
        ConcurrentBag<string> names = [];
        using var services = new ServiceCollection().AddMetrics().AddSingleton<IngestMetrics>().BuildServiceProvider();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name == IngestMetrics.Name)
                {
                    names.Add(instrument.Name);
                }
            },
        };
        services.GetRequiredService<IngestMetrics>();
        listener.Start();
        return names;
    }
}
