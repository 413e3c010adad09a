package conformance

// subscriptionCases are public, private and encrypted channels.
var subscriptionCases []Case
