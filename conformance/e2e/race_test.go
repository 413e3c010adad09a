//go:build race

package e2e_test

// race builds the server as the test itself was built.
const race = true
