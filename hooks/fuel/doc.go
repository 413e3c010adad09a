// Package fuel rewrites a guest so that it can be stopped. Native code is not
// preemptible: a guest that loops forever would hold its thread forever, and
// with it the garbage collector of the whole server.
//
// Every function entry and every iteration of a loop takes a unit from a private
// global; filling and copying memory takes one for each 64 bytes. When the
// global falls below zero the guest calls the import abi.Yield, where the host
// looks at the clock: it puts the next slice into the global, or ends the call.
// That costs a guest some 10 to 35 percent, and a call nothing.
//
// The depth of a recursion is bounded by the same means: each frame has cost a
// unit. A guard of its own, which had to be right on every way out of a
// function, would gain little over that.
//
// A guest must be valid, too: the package checks only what it relies on. But it
// takes no more memory than a multiple of the guest's size, whatever numbers the
// guest has in it, and what it has instrumented may be read by an engine that
// believes them. It knows the binary format (WebAssembly 2.0, chapter 5) and
// neither runs a guest nor knows what for.
package fuel
