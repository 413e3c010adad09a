//go:build !wasip1

package tick

// Call calls the handler, for tests.
func Call() { handler() }
