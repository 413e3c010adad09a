package conformance

// securityCases are what hostile clients try.
var securityCases []Case
