package conformance

// httpQueryCases are questions to the HTTP API.
var httpQueryCases []Case
