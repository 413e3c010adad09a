// Package onconnect is the hook on_connect: a client has connected. Importing it subscribes to the
// hook.
package onconnect

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event) plugin.Verdict

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event) plugin.Verdict) { handler = f }
