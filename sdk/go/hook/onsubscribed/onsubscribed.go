// Package onsubscribed is the hook on_subscribed: a client has subscribed. Importing it subscribes to the
// hook.
package onsubscribed

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event)

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event)) { handler = f }
