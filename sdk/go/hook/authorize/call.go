//go:build !wasip1

package authorize

import plugin "github.com/revurb/revurb/sdk/go"

// Call calls the handler, for tests.
func Call(e *plugin.Event) plugin.Verdict { return handler(e) }
