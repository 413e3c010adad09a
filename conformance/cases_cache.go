package conformance

// cacheCases are what a channel replays.
var cacheCases []Case
