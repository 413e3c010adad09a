package conformance

// presenceCases are who is there.
var presenceCases []Case
