package conformance

// countCases are how many are subscribed.
var countCases []Case
