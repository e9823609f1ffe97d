param name string
param location string
param appInsightsName string
param healthUrl string
param alertEmail string
param wrongSecretLimit int
param refusedLimit int
param availabilityTest bool
param alertOnSilence bool

// Each query returns one row with one column, value. The alert is raised when that exceeds the limit. The descriptions are the
// runbooks.
var rules = [
  {
    name: 'dead-letters'
    enabled: true
    severity: 2
    window: 'PT15M'
    limit: 0
    query: '''
      customMetrics
      | where name == 'webhooks.dead_lettered'
      | summarize value = sum(valueSum)
    '''
    description: '''
Webhooks were acknowledged but could not be stored as events. Nothing is lost.
1. Open the table Smtp2GoDeadLetters, partition = today (UTC). Reason and Error say why, Body has what was received.
2. unparsable, no-event, conflict: SMTP2GO sent something new, and the app needs a change.
refused: the table refused the row; Error has the code.
poison: storing failed for a day; look for the outage in the exceptions.
blob-missing: somebody deleted blobs.
unreadable: something else writes to the queue.
3. Fix the cause, then replay (docs/operations.md).'''
  }
  {
    name: 'oldest-message'
    enabled: true
    severity: 1
    window: 'PT15M'
    // Ten minutes is normal: when an instance crashes or stops, the host hides the messages it had fetched for that long.
    limit: 1200
    // The last value of each queue, or a day (in seconds) if there is none: a watch that stopped must not look like an empty queue.
    query: '''
      customMetrics
      | where name == 'queue.oldest.age'
      | summarize arg_max(timestamp, valueSum) by queue = tostring(customDimensions.queue)
      | summarize seconds = max(valueSum)
      | project value = coalesce(seconds, 86400.0)
    '''
    description: '''
The oldest message has waited for more than 20 minutes, or it was not measured for 15 minutes (the value is then 86400).
Events are late, or the app is not running. Nothing is lost: messages do not expire.
1. 86400: is the app running? Look at its overview and log stream.
With a wrong setting the app does not start, and logs a message that names the setting.
Before the first publish this is expected.
If webhooks are still answered, telemetry is failing: check the workspace's daily cap (dailyTelemetryGB) and the role Monitoring
Metrics Publisher.
2. Otherwise read the exceptions of StoreEvents. 401 or 403: check the storage roles.
429, 500, 503: storage is throttled or down. Each message is tried again every 30 s, 2,880 times (a day), and then kept as a dead letter.
3. No exceptions and a growing queue.depth: webhooks arrive faster than they are stored. Raise maximumInstanceCount
(docs/operations.md, How far it scales).'''
  }
  {
    name: 'wrong-secret'
    enabled: true
    severity: 2
    window: 'PT15M'
    limit: wrongSecretLimit
    query: '''
      customMetrics
      | where name == 'webhooks.refused' and tostring(customDimensions.reason) == 'wrong-secret'
      | summarize value = sum(valueSum)
    '''
    description: '''
Webhooks arrive with a wrong secret: either SMTP2GO's settings and the app's differ, or somebody is guessing.
1. Press "Test this webhook" in SMTP2GO. If it is refused with 401, put the right password into its settings,
or redeploy with previousWebhookPassword. SMTP2GO retries for about four days, so nothing is lost until then.
2. If it is not refused, somebody else is calling. They cannot guess the secret. To refuse them earlier, set allowedSources to
webhooks.smtp2go.com (docs/security.md).'''
  }
  {
    name: 'refused'
    enabled: true
    severity: 2
    window: 'PT15M'
    limit: refusedLimit
    // With a passing reason, the webhook's next try usually succeeds: only many of those count.
    query: '''
      customMetrics
      | where name == 'webhooks.refused'
      | extend reason = tostring(customDimensions.reason)
      | where reason !in ('path', 'method', 'wrong-secret')
      | extend passing = reason in ('not-durable', 'source-undecided', 'too-slow', 'interrupted')
      | summarize lasting = sumif(valueSum, not(passing)), passed = sumif(valueSum, passing)
      | project value = lasting + iff(passed > 10.0, passed, 0.0)
    '''
    description: '''
Webhooks were refused, but not for a wrong secret. SMTP2GO sends each one again for about four days; then it is lost.
1. Find the reason. The log names it once a minute, with what to check. Or in Logs: customMetrics | where name == 'webhooks.refused'
| summarize sum(valueSum) by tostring(customDimensions.reason)
2. By reason:
no-secret: SMTP2GO sends none, or in a way that webhookAccept does not list. Compare the webhook's URL and headers. If its test
passes, a stranger is posting, which is harmless: raise refusedLimit.
source: the sender is not in allowedSources, or a proxy hides it (docs/security.md).
source-undecided: a name in allowedSources does not resolve.
too-large: longer than Webhook__MaxBodyBytes, 1 MiB. Raise it (docs/operations.md, Upgrade).
encoding: something in between compresses the body. Turn that off.
empty, malformed-json, not-an-object, no-pairs: something in between changes the body, or SMTP2GO is not the sender.
not-durable: the queue does not accept them. The log names the failure: check the storage account, its network rules and roles.
too-slow, interrupted: a network problem in between.
3. If you fix it in time, nothing is lost. For older webhooks: SMTP2GO, Failed Notifications, or its activity search.'''
  }
  {
    name: 'silence'
    enabled: alertOnSilence
    severity: 2
    window: 'P1D'
    limit: 0
    query: '''
      customMetrics
      | where name == 'webhooks.received'
      | summarize received = sum(valueSum)
      | project value = iff(coalesce(received, 0.0) > 0.0, 0, 1)
    '''
    description: '''
No webhook has been acknowledged for a day (value 1).
1. Was mail sent at all? SMTP2GO, Activity.
2. SMTP2GO, Settings, Webhooks: is the webhook there, enabled, with this app's URL and all events? Press "Test this webhook".
3. If the test is refused, webhooks.refused says why. If it does not arrive at all, check allowedIpRanges, and that the app is running.
4. Lost events can be found again in SMTP2GO's activity search.'''
  }
]

resource appInsights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: appInsightsName
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(alertEmail)) {
  name: name
  location: 'global'
  properties: {
    enabled: true
    groupShortName: name
    emailReceivers: [{ name: 'email', emailAddress: alertEmail, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: '${name}-${rule.name}'
    location: location
    properties: {
      displayName: '${name}-${rule.name}'
      description: rule.description
      enabled: rule.enabled
      severity: rule.severity
      scopes: [appInsights.id]
      evaluationFrequency: rule.window == 'P1D' ? 'PT1H' : 'PT5M'
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: 'value'
            timeAggregation: 'Maximum'
            operator: 'GreaterThan'
            threshold: rule.limit
          }
        ]
      }
      autoMitigate: true
      // A new workspace has no tables yet to check the query against.
      skipQueryValidation: true
      actions: { actionGroups: empty(alertEmail) ? [] : [actionGroup.id] }
    }
  }
]

resource test 'Microsoft.Insights/webtests@2022-06-15' = if (availabilityTest) {
  name: '${name}-health'
  location: location
  kind: 'standard'
  tags: { 'hidden-link:${appInsights.id}': 'Resource' }
  properties: {
    SyntheticMonitorId: '${name}-health'
    Name: '${name}-health'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-ca-sjc-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: { RequestUrl: healthUrl, HttpVerb: 'GET' }
    ValidationRules: { ExpectedHttpStatusCode: 200, SSLCheck: true, SSLCertRemainingLifetimeCheck: 7 }
  }
}

resource testAlert 'Microsoft.Insights/metricAlerts@2018-03-01' = if (availabilityTest) {
  name: '${name}-health'
  location: 'global'
  properties: {
    description: '''
/health did not answer 200 from two or more of five places: SMTP2GO cannot deliver either, and retries for about four days.
1. Open the URL yourself. If there is no answer or a 5xx, look at the app's overview and log stream.
With a wrong setting the app does not start, and logs a message that names the setting.
2. 403: allowedIpRanges refuses the test. A certificate error: look at the custom domain.'''
    severity: 1
    enabled: true
    scopes: [test.id, appInsights.id]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: test.id
      componentId: appInsights.id
      failedLocationCount: 2
    }
    actions: empty(alertEmail) ? [] : [{ actionGroupId: actionGroup.id }]
  }
}
