package conformance

// watchlistCases are who of one's friends is online.
var watchlistCases []Case
