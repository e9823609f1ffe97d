param name string
param location string
param sku string
param deploymentContainer string

var containers = ['smtp2go-webhooks', deploymentContainer]
var queues = ['smtp2go-webhooks', 'smtp2go-webhooks-poison']
var tables = [
  'Smtp2GoEvents'
  'Smtp2GoEventsByRecipient'
  'Smtp2GoEventsByDay'
  'Smtp2GoDays'
  'Smtp2GoRecipients'
  'Smtp2GoDeadLetters'
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobService 'blobServices' = {
    name: 'default'
    // In case of a mistake. What forget deletes can be restored for as long: docs/security.md.
    properties: { deleteRetentionPolicy: { enabled: true, days: 7 } }
    resource container 'containers' = [for container in containers: { name: container }]
  }

  resource queueService 'queueServices' = {
    name: 'default'
    resource queue 'queues' = [for queue in queues: { name: queue }]
  }

  resource tableService 'tableServices' = {
    name: 'default'
    resource table 'tables' = [for table in tables: { name: table }]
  }
}
