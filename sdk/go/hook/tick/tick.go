// Package tick is the hook tick: a second has passed. Importing it subscribes to the
// hook.
package tick

var handler func()

// Handle has f called. It is to be called once, from an init function.
func Handle(f func()) { handler = f }
