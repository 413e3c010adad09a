package conformance

// clientEventCases are what clients send one another.
var clientEventCases []Case
