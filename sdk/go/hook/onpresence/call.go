//go:build !wasip1

package onpresence

import plugin "github.com/revurb/revurb/sdk/go"

// Call calls the handler, for tests.
func Call(e *plugin.Event) { handler(e) }
