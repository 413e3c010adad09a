// Package onmessage is the hook on_message: a client event, or an event over the HTTP API. Importing it subscribes to the
// hook.
package onmessage

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event) plugin.Verdict

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event) plugin.Verdict) { handler = f }
