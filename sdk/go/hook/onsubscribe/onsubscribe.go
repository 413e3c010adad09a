// Package onsubscribe is the hook on_subscribe: a client subscribes to any channel, and is authorized. Importing it subscribes to the
// hook.
package onsubscribe

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event) plugin.Verdict

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event) plugin.Verdict) { handler = f }
