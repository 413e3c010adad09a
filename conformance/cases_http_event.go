package conformance

// httpEventCases are publishing over the HTTP API.
var httpEventCases []Case
