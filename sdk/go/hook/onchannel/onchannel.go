// Package onchannel is the hook on_channel: a channel is occupied, or vacated. Importing it subscribes to the
// hook.
package onchannel

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event)

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event)) { handler = f }
