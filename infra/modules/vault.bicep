param name string
param location string

@secure()
param webhookPassword string

@secure()
param previousWebhookPassword string

@secure()
param smtp2goApiKey string

resource vault 'Microsoft.KeyVault/vaults@2023-07-01' = {
  name: name
  location: location
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
  }

  resource secret 'secrets' = {
    name: 'webhook-password'
    properties: { value: webhookPassword }
  }

  resource previousSecret 'secrets' = if (!empty(previousWebhookPassword)) {
    name: 'webhook-previous-password'
    properties: { value: previousWebhookPassword }
  }

  resource apiKeySecret 'secrets' = if (!empty(smtp2goApiKey)) {
    name: 'smtp2go-api-key'
    properties: { value: smtp2goApiKey }
  }
}

// Includes the version, so that a new password changes the setting, which restarts the app.
output reference string = '@Microsoft.KeyVault(SecretUri=${vault::secret.properties.secretUriWithVersion})'
#disable-next-line outputs-should-not-contain-secrets // it tells whether there is one, not what it is
output previousReference string = empty(previousWebhookPassword)
  ? ''
  : '@Microsoft.KeyVault(SecretUri=${vault::previousSecret!.properties.secretUriWithVersion})'
#disable-next-line outputs-should-not-contain-secrets // it tells whether there is one, not what it is
output apiKeyReference string = empty(smtp2goApiKey)
  ? ''
  : '@Microsoft.KeyVault(SecretUri=${vault::apiKeySecret!.properties.secretUriWithVersion})'
