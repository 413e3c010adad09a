//go:build !linux

package websocket

// writeNow writes nothing at all: here, everything is written by the goroutine
// that may wait.
func writeNow(int, []byte) (int, error) { return 0, nil }
