targetScope = 'resourceGroup'

@description('First part of every resource name; a hash follows. Lower-case letters and digits, starting with a letter.')
@minLength(3)
@maxLength(10)
param name string = 'smtp2go'

@description('Region; it must offer Flex Consumption (az functionapp list-flexconsumption-locations).')
param location string = resourceGroup().location

@description('The secret that SMTP2GO sends. With letters and digits only, it needs no encoding in a URL: openssl rand -hex 24.')
@secure()
@minLength(16)
param webhookPassword string

@description('The previous secret, also accepted while you change the password in SMTP2GO; empty for none.')
@secure()
param previousWebhookPassword string = ''

@description('An SMTP2GO API key that may call /activity/search, for the daily audit; empty for no audit. docs/reconciling.md.')
@secure()
param smtp2goApiKey string = ''

@description('SMTP2GO\'s API, such as https://eu-api.smtp2go.com/v3. Empty: SMTP2GO chooses the region.')
param smtp2goApiUrl string = ''

@description('The user name for Basic authentication, without a colon.')
@minLength(1)
param webhookUsername string = 'smtp2go'

@description('Ways in which the secret may be sent. query and path put it into URLs, which end up in logs.')
@minLength(1)
param webhookAccept ('basic' | 'bearer' | 'query' | 'path')[] = ['basic', 'bearer']

@description('Who may post, checked by the app: host names, addresses, CIDR ranges; webhooks.smtp2go.com for SMTP2GO. Empty: anybody.')
param allowedSources string[] = []

@description('Who may connect, checked by the platform: CIDR ranges. The app does not see what this refuses. Empty: anybody.')
param allowedIpRanges string[] = []

@description('Days after which events are deleted; 0 keeps them forever.')
@minValue(0)
@maxValue(36500)
param retentionDays int = 0

@description('How the stored data is replicated. ZRS survives the loss of a data centre; a region without zones has only LRS.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@description('Memory per instance in MB; the price per second grows with it.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('The app scales out to this many instances at most.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Webhooks that one instance answers at a time. High on purpose: webhooks that arrive together share a queue message.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 250

@description('Instances that never sleep, so no webhook waits for a cold start. Billed by the second, used or not: docs/operations.md.')
@minValue(0)
@maxValue(1000)
param alwaysReadyHttpInstances int = 0

@description('Who gets a mail when an alert is raised. Empty: alerts show in the portal only.')
param alertEmail string = ''

@description('Raises an alert when more webhooks than this came with a wrong secret in 15 minutes.')
@minValue(0)
param wrongSecretLimit int = 10

@description('Raises an alert when more webhooks than this were refused for another reason in 15 minutes: each is lost if that goes on.')
@minValue(0)
param refusedLimit int = 0

@description('Calls /health from five places every five minutes; raises an alert if two fail. The calls are billed, and keep an instance awake.')
param availabilityTest bool = false

@description('Daily cap on telemetry in GB. Above it, telemetry is dropped and alerts see nothing until the next day. -1: no cap.')
@minValue(-1)
param dailyTelemetryGB int = 1

@description('Raises an alert after a day without a webhook. Only for an account that sends mail every day.')
param alertOnSilence bool = false

@description('Raises an alert when more than this percentage of an hour\'s mail bounced for good.')
@minValue(1)
@maxValue(99)
param hardBouncePercent int = 5

@description('The same, for an alert with a higher severity.')
@minValue(1)
@maxValue(99)
param hardBouncePercentHigh int = 10

@description('Below this number of emails delivered or hard-bounced in the hour, no alert on hard bounces is raised.')
@minValue(1)
param hardBounceLeastEvents int = 100

@description('Raises an alert when more emails than this, per 1,000 delivered in a day, were marked as spam. 1 is 0.1 %.')
@minValue(1)
@maxValue(999)
param complaintsPerThousand int = 1

@description('The same, for an alert with a higher severity. 3 is 0.3 %.')
@minValue(1)
@maxValue(999)
param complaintsPerThousandHigh int = 3

@description('Below this number of emails delivered in the day, no alert on complaints is raised.')
@minValue(1)
param complaintLeastDelivered int = 1000

@description('Raises an alert when an hour\'s median time from submission to delivery is more than this many minutes.')
@allowed([1, 5, 10, 30, 60, 240, 1440])
param slowDeliveryMinutes int = 10

@description('Below this number of emails delivered in the hour, no alert on slow delivery is raised.')
@minValue(1)
param slowDeliveryLeastDelivered int = 20

@description('Raises an alert when SMTP2GO rejected more emails than this in 15 minutes because of the sender.')
@minValue(0)
param senderRejectLimit int = 5

@description('Raises an alert when the daily audit finds more events than this that SMTP2GO has and that are not stored.')
@minValue(0)
param missingEventsLimit int = 0

// Built-in roles.
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' // not Contributor: the Functions host needs more on its own blobs
var storageQueueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88' // not Message Processor: releasing a failed message is an update
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb' // all telemetry, not only metrics

// A storage account allows no other characters, and a vault no digit first. Checked before anything is created.
var letters = 'abcdefghijklmnopqrstuvwxyz'
var foreign = filter(range(0, length(name)), i => !contains('${letters}0123456789', substring(name, i, 1)))
var prefix = contains(letters, first(name)) && empty(foreign)
  ? name
  : fail('name must begin with a lower-case letter and hold only lower-case letters and digits')
var suffix = uniqueString(resourceGroup().id, prefix)
var resourceName = '${prefix}-${suffix}'
var storageName = '${prefix}${suffix}'
var deploymentContainer = 'deployments'
var storageUri = {
  blob: 'https://${storageName}.blob.${environment().suffixes.storage}'
  queue: 'https://${storageName}.queue.${environment().suffixes.storage}'
  table: 'https://${storageName}.table.${environment().suffixes.storage}'
}

// What the app uses: the role that opens it and the settings that point to it. Both come from here, so they cannot drift.
var uses = [
  {
    of: 'storage'
    role: storageBlobDataOwner
    settings: {
      AzureWebJobsStorage__blobServiceUri: storageUri.blob
      EventStorage__blobServiceUri: storageUri.blob
    }
  }
  {
    of: 'storage'
    role: storageQueueDataContributor
    settings: {
      AzureWebJobsStorage__queueServiceUri: storageUri.queue
      EventStorage__queueServiceUri: storageUri.queue
    }
  }
  {
    of: 'storage'
    role: storageTableDataContributor
    settings: {
      AzureWebJobsStorage__tableServiceUri: storageUri.table
      EventStorage__tableServiceUri: storageUri.table
    }
  }
  {
    of: 'vault'
    role: keyVaultSecretsUser
    settings: {
      Webhook__Password: vault.outputs.reference
      Webhook__PreviousPassword: vault.outputs.previousReference
      Smtp2Go__ApiKey: vault.outputs.apiKeyReference
    }
  }
  {
    of: 'appInsights'
    role: monitoringMetricsPublisher
    settings: {
      APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
    }
  }
]

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: resourceName
  location: location
}

module storage 'modules/storage.bicep' = {
  params: {
    name: storageName
    location: location
    sku: storageSku
    deploymentContainer: deploymentContainer
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: resourceName
    location: location
    webhookPassword: webhookPassword
    previousWebhookPassword: previousWebhookPassword
    smtp2goApiKey: smtp2goApiKey
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    name: resourceName
    location: location
    dailyQuotaGb: dailyTelemetryGB
  }
}

module roles 'modules/roles.bicep' = {
  dependsOn: [storage]
  params: {
    principalId: identity.properties.principalId
    storageName: storageName
    storageRoles: map(filter(uses, use => use.of == 'storage'), use => use.role)
    vaultName: resourceName
    vaultRoles: map(filter(uses, use => use.of == 'vault'), use => use.role)
    appInsightsName: resourceName
    appInsightsRoles: map(filter(uses, use => use.of == 'appInsights'), use => use.role)
  }
}

module app 'modules/app.bicep' = {
  // Without its roles the app cannot fetch its package, its password or a message.
  dependsOn: [roles]
  params: {
    name: resourceName
    location: location
    identityId: identity.id
    deploymentContainerUrl: '${storageUri.blob}/${deploymentContainer}'
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    httpConcurrency: httpConcurrency
    alwaysReadyHttpInstances: alwaysReadyHttpInstances
    allowedIpRanges: allowedIpRanges
    availabilityTest: availabilityTest
    settings: reduce(
      map(uses, use => use.settings),
      {
        // The host reads a whole body before the app sees the request. Above this it answers 500; up to it the app answers 413.
        FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '2097152'
        AzureWebJobsDisableHomepage: 'true'
        // The Azure SDK's own switch. An idle host exported 282 items (219 kB) in 100 s, all but six of them polls and lease
        // renewals; with this, 144 (57 kB). Metrics and the app's own spans stay.
        AZURE_TRACING_DISABLED: 'true'
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.properties.clientId
        EventStorage__credential: 'managedidentity'
        EventStorage__clientId: identity.properties.clientId
        Webhook__Username: webhookUsername
        Webhook__Accept: join(webhookAccept, ',')
        Webhook__AllowedSources: join(allowedSources, ',')
        Events__RetentionDays: string(retentionDays)
        Smtp2Go__ApiUrl: smtp2goApiUrl
      },
      (all, settings) => union(all, settings)
    )
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    name: name
    location: location
    appInsightsName: resourceName
    healthUrl: 'https://${app.outputs.hostName}/health'
    alertEmail: alertEmail
    wrongSecretLimit: wrongSecretLimit
    refusedLimit: refusedLimit
    availabilityTest: availabilityTest
    alertOnSilence: alertOnSilence
    hardBouncePercent: hardBouncePercent
    hardBouncePercentHigh: hardBouncePercentHigh
    hardBounceLeastEvents: hardBounceLeastEvents
    complaintsPerThousand: complaintsPerThousand
    complaintsPerThousandHigh: complaintsPerThousandHigh
    complaintLeastDelivered: complaintLeastDelivered
    slowDeliveryMinutes: slowDeliveryMinutes
    slowDeliveryLeastDelivered: slowDeliveryLeastDelivered
    senderRejectLimit: senderRejectLimit
    missingEventsLimit: missingEventsLimit
    // A shorter retention deletes a day before it can be audited.
    hasAudit: !empty(smtp2goApiKey) && (retentionDays == 0 || retentionDays >= 5)
  }
}

output functionAppName string = resourceName
output storageAccountName string = storageName
output webhookUrl string = 'https://${app.outputs.hostName}/webhook/smtp2go'
