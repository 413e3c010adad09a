package server

import (
	"os"
	"runtime/debug"
)

// gcPercent is how much the heap grows until the next garbage collection. With
// 50,000 connections one costs an eighth of a second, however much there is to
// collect; twice as seldom is half of that, for memory that a server has.
const gcPercent = 200

// tuneGC sets gcPercent unless the environment has a GOGC or a GOMEMLIMIT: who
// sets one knows better. It returns how to go back.
func tuneGC() (undo func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	old := debug.SetGCPercent(gcPercent)
	return func() { debug.SetGCPercent(old) }
}
