package conformance

// httpAuthCases are the signatures of the HTTP API.
var httpAuthCases []Case
