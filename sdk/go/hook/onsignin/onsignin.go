// Package onsignin is the hook on_signin: a client signs in. Importing it subscribes to the
// hook.
package onsignin

import plugin "github.com/revurb/revurb/sdk/go"

var handler func(*plugin.Event) plugin.Verdict

// Handle has f called. It is to be called once, from an init function.
func Handle(f func(*plugin.Event) plugin.Verdict) { handler = f }
