param name string
param location string
param appInsightsName string
param healthUrl string
param alertEmail string
param wrongSecretLimit int
param refusedLimit int
param availabilityTest bool
param alertOnSilence bool
param hardBouncePercent int
param hardBouncePercentHigh int
param hardBounceLeastEvents int
param complaintsPerThousand int
param complaintsPerThousandHigh int
param complaintLeastDelivered int
param slowDeliveryMinutes int
param slowDeliveryLeastDelivered int
param senderRejectLimit int
param missingEventsLimit int
param hasAudit bool

// A log alert costs less the more rarely it is evaluated, and an hour's or a day's rate does not change within five minutes.
var frequency = { PT15M: 'PT5M', PT1H: 'PT15M', P1D: 'PT1H', P2D: 'PT1H' }

// Below the minimum, a rate says nothing, so the value is 0. Only events of SMTP2GO's test button have the tag test.
var hardBounceRate = $'''
      customMetrics
      | where name == 'events.bounced' or (name == 'events.stored' and isempty(tostring(customDimensions.test)))
      | extend event = tostring(customDimensions.event), bounce = tostring(customDimensions.bounce)
      | summarize delivered = sum(iff(event == 'delivered', valueSum, 0.0)), hard = sum(iff(bounce == 'hard', valueSum, 0.0))
      | project value = iff(delivered + hard >= ${hardBounceLeastEvents}, 100.0 * hard / (delivered + hard), 0.0)
    '''
var hardBounceRunbook = '''
Mailbox providers and SMTP2GO judge a sender by this.
1. Which bounces are they? smtp2go-ingest bounces. Or in Logs:
customMetrics | where name == 'events.bounced' | summarize sum(valueSum) by tostring(customDimensions.class)
2. By class (docs/deliverability.md):
invalid-recipient: the list is old, mistyped or bought. Stop that send-out.
smtp2go-ingest recipients --state hard-bounced --since 1d lists the addresses to take off.
mailbox-full: nobody reads that mailbox. Stop mailing it if it stays full.
blocked: the reply names the blocklist or the policy. Send less, find out what set it off, and ask to be taken off.
authentication: SPF, DKIM, DMARC or reverse DNS fails. Has somebody changed your DNS? Compare it with the sender domain in SMTP2GO.
content: the message looks like spam or a virus. What is new in it: a link, an attachment, a template?
too-large: send a link in place of the attachment.
throttled, unreachable: usually passes. At one provider only (smtp2go-ingest summary), wait or send more slowly.
other: read the replies: smtp2go-ingest day --event bounce.'''

var complaintRate = $'''
      customMetrics
      | where name == 'events.stored' and isempty(tostring(customDimensions.test))
      | extend event = tostring(customDimensions.event)
      | summarize delivered = sum(iff(event == 'delivered', valueSum, 0.0)), spam = sum(iff(event == 'spam', valueSum, 0.0))
      | project value = iff(delivered >= ${complaintLeastDelivered}, 1000.0 * spam / delivered, 0.0)
    '''
var complaintRunbook = '''
Gmail and Yahoo ask bulk senders to stay below 1 per 1,000, and never to reach 3.
1. What was marked as spam? smtp2go-ingest day --event spam lists them; email <email_id> shows sender and subject. One send-out, or all?
2. Was that mail sent today? A complaint may come days after the delivery, so the rate is too high on a quiet day after a large send-out.
Compare with smtp2go-ingest summary --days 7d.
3. One send-out: stop it. Did these people ask for it, do they know the sender's name, and does the unsubscribe link work?
4. All of them: somebody may be sending with your credentials. Look for senders and subjects that you do not know.
5. Never mail these people again: smtp2go-ingest recipients --state complained lists them.
Some providers report no complaints, so the true rate is higher.'''

// Each query returns one row with one column, value. The alert is raised when that exceeds the limit. Microsoft's manual says the sum of
// no rows is 0, but not every engine agrees. So a query that adds or divides sums uses iff() inside sum(), which sees every row, and
// not sumif(). The descriptions are the runbooks.
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
      | summarize lasting = sum(iff(passing, 0.0, valueSum)), passed = sum(iff(passing, valueSum, 0.0))
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
  {
    name: 'hard-bounces'
    enabled: true
    severity: 2
    window: 'PT1H'
    limit: hardBouncePercent
    query: hardBounceRate
    description: 'More than ${hardBouncePercent} % of the last hour\'s mail bounced for good.\n${hardBounceRunbook}'
  }
  {
    name: 'hard-bounces-high'
    enabled: true
    severity: 1
    window: 'PT1H'
    limit: hardBouncePercentHigh
    query: hardBounceRate
    description: 'More than ${hardBouncePercentHigh} % of the last hour\'s mail bounced for good.\n${hardBounceRunbook}'
  }
  {
    name: 'complaints'
    enabled: true
    severity: 2
    window: 'P1D'
    limit: complaintsPerThousand
    query: complaintRate
    description: 'Of the last day\'s mail, more than ${complaintsPerThousand} in 1,000 was marked as spam.\n${complaintRunbook}'
  }
  {
    name: 'complaints-high'
    enabled: true
    severity: 1
    window: 'P1D'
    limit: complaintsPerThousandHigh
    query: complaintRate
    description: 'Of the last day\'s mail, more than ${complaintsPerThousandHigh} in 1,000 was marked as spam.\n${complaintRunbook}'
  }
  {
    name: 'slow-delivery'
    enabled: true
    severity: 2
    window: 'PT1H'
    // The median is over the limit when more than half of the emails are.
    limit: 50
    query: $'''
      customMetrics
      | where name == 'events.delivery.duration'
      | extend isSlow = toint(customDimensions.over) >= ${slowDeliveryMinutes * 60}
      | summarize delivered = sum(valueCount), slow = sum(iff(isSlow, valueCount, 0))
      | project value = iff(delivered >= ${slowDeliveryLeastDelivered}, 100.0 * slow / delivered, 0.0)
    '''
    description: $'''
More than half of the mail delivered in the last hour took more than ${slowDeliveryMinutes} minutes from SMTP2GO to the mailbox.
A webhook that comes late does not count as a slow delivery.
1. How slow, and where to? smtp2go-ingest summary has the median by provider. Or in Logs, by the lower bound of each range in seconds:
customMetrics | where name == 'events.delivery.duration' | summarize sum(valueCount) by over = toint(customDimensions.over)
2. One provider: it is throttling or greylisting, or is down. smtp2go-ingest bounces shows its replies.
Send more slowly, and spread a send-out over hours.
3. All providers: SMTP2GO is still working through a large send-out, or has a problem. Look at its status page.'''
  }
  {
    name: 'sender-rejects'
    enabled: true
    severity: 1
    window: 'PT15M'
    limit: senderRejectLimit
    query: '''
      customMetrics
      | where name == 'events.rejected' and tostring(customDimensions.fault) == 'sender'
      | summarize value = sum(valueSum)
    '''
    description: '''
SMTP2GO refuses to send mail because of a problem with the sender. This mail is not sent, and nothing retries it.
1. Which sender? smtp2go-ingest day --event reject shows SMTP2GO's reason; email <email_id> shows the sender. Or in Logs:
customMetrics | where name == 'events.rejected' | summarize sum(valueSum) by tostring(customDimensions.class)
2. By class (docs/deliverability.md):
sender-not-verified: verify the sender's domain or address in SMTP2GO, or correct the From address that the application uses.
sandboxed: the SMTP user or API key is in a sandbox. Take it out; if that is on purpose, raise senderRejectLimit.
other: the account's own limit, quota or credential. SMTP2GO's reason says which; look at the plan, or renew the credential.
3. Send the rejected mail again.'''
  }
  {
    name: 'missing-events'
    enabled: hasAudit
    severity: 2
    window: 'P1D'
    limit: missingEventsLimit
    // A gauge may be exported once or every minute, so it is never added up over time. SMTP2GO may list an email to two recipients as
    // processed twice, which says nothing about webhooks.
    query: '''
      customMetrics
      | where name == 'events.missing'
      | extend event = tostring(customDimensions.event), bounce = tostring(customDimensions.bounce)
      | where event != 'processed'
      | summarize absent = max(valueSum) by event, bounce
      | summarize value = sum(absent)
    '''
    description: '''
SMTP2GO has events of the last audited days, five days ago and before, that are not stored: at least as many as the value says.
They will not arrive on their own any more.
1. Which day, and which events? smtp2go-ingest check names the days, and Studio's Health page the kinds of event.
smtp2go-ingest reconcile <day> lists each missing event, and changes nothing.
2. Are they late rather than lost? Dead letters and messages in the queue count as missing: see their alerts, and replay.
3. Why? One kind only: the webhook in SMTP2GO does not send that event: smtp2go-ingest check --smtp2go. All kinds, for some hours: the app was
down or refused webhooks for more than four days; look at the alert refused of that week.
A purge or forget since then, or a day before this app was set up: nothing is wrong.
4. Fill them in before SMTP2GO deletes them (after 5 days on its free plan, 30 on others): smtp2go-ingest reconcile <day> --apply.
First read docs/reconciling.md: what a filled-in event lacks, and what has to be verified once.
The next audit counts again, and the alert ends a day later. It also ends a week after the audit, whatever is still missing.'''
  }
  {
    name: 'audit-stopped'
    enabled: hasAudit
    severity: 3
    window: 'P2D'
    limit: 0
    query: '''
      customMetrics
      | where name == 'events.missing'
      | summarize audits = sum(valueCount)
      | project value = iff(coalesce(audits, 0) > 0, 0, 1)
    '''
    description: '''
AuditDay has not compared a day with SMTP2GO for two days (value 1). Events may be missing without anybody noticing. This alone loses none.
On the first day after smtp2goApiKey was set, this is expected.
1. Read the exceptions of AuditDay; the message says what SMTP2GO answered. No exceptions: is the app running (oldest-message)?
2. The key is not accepted, or may not call /activity/search: make another one in SMTP2GO and redeploy with smtp2goApiKey.
403: the account restricts who may call its API; add the app's outbound addresses (docs/reconciling.md).
429: something else uses up the 60 calls a minute. Cannot be reached: network rules, smtp2goApiUrl.
3. Nothing else is needed: the next run catches up with the last seven days. For days before: smtp2go-ingest reconcile.'''
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
      evaluationFrequency: frequency[rule.window]
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
