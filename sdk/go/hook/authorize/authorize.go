// Package authorize is the hook authorize: a client subscribes to a private or presence channel. Importing it subscribes to the
// hook.
package authorize

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event) plugin.Verdict

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event) plugin.Verdict) { handler = f }
