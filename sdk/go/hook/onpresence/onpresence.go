// Package onpresence is the hook on_presence: a member has been added to a presence channel, or removed. Importing it subscribes to the
// hook.
package onpresence

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event)

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event)) { handler = f }
