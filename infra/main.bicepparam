using 'main.bicep'

// Every other parameter has a default: see main.bicep.
param webhookPassword = readEnvironmentVariable('WEBHOOK_PASSWORD')
param previousWebhookPassword = readEnvironmentVariable('WEBHOOK_PREVIOUS_PASSWORD', '')
param smtp2goApiKey = readEnvironmentVariable('SMTP2GO_API_KEY', '')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
