// Package mutants holds the conformance suite to account: each mutant is a
// server with one deliberate bug, and the suite must find it.
//
// A mutant is our server with something between it and its clients that breaks
// a promise, or with a part of it that does, or with a setting that no one
// should have. The server's own code has no switch for any of it. Everything is
// in the tests of this package:
//
//	go test ./conformance/mutants -run TestMutants -v
package mutants
