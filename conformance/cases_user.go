package conformance

// userCases are signing in, and what it is good for.
var userCases []Case
