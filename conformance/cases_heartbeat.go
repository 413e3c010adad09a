package conformance

// heartbeatCases are how both sides know that the other lives.
var heartbeatCases []Case
