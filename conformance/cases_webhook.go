package conformance

// webhookCases are what the server tells the backend.
var webhookCases []Case
