param name string
param location string
param identityId string
param deploymentContainerUrl string
param instanceMemoryMB int
param maximumInstanceCount int
param httpConcurrency int
param alwaysReadyHttpInstances int
param allowedIpRanges string[]
param availabilityTest bool
param settings { *: string }

var restricted = !empty(allowedIpRanges)
var allowedIps = [
  for (range, i) in allowedIpRanges: { name: 'allowed-${i}', priority: 100 + i, action: 'Allow', ipAddress: range }
]
var allowedTest = restricted && availabilityTest
  ? [
      {
        name: 'availability-test'
        priority: 1000
        action: 'Allow'
        tag: 'ServiceTag'
        ipAddress: 'ApplicationInsightsAvailability'
      }
    ]
  : []

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  kind: 'functionapp,linux'
  tags: { 'azd-service-name': 'app' }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: deploymentContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: alwaysReadyHttpInstances > 0 ? [{ name: 'http', instanceCount: alwaysReadyHttpInstances }] : []
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
    }
    siteConfig: {
      ftpsState: 'Disabled'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictions: concat(allowedIps, allowedTest)
      ipSecurityRestrictionsDefaultAction: restricted ? 'Deny' : 'Allow'
    }
  }

  // No FUNCTIONS_WORKER_RUNTIME and no WEBSITE_RUN_FROM_PACKAGE: Flex has both in functionAppConfig and refuses them here.
  resource appSettings 'config' = {
    name: 'appsettings'
    properties: settings
  }

  // Publishing needs an identity, not a password.
  resource ftpPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource scmPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

output hostName string = app.properties.defaultHostName
