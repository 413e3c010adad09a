// Package ondisconnect is the hook on_disconnect: a client has gone. Importing it subscribes to the
// hook.
package ondisconnect

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event)

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event)) { handler = f }
