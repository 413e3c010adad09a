// Package hooks is the points at which plugins have a say in what the server
// does, or are told of it. It decides the order in which plugins are asked, what
// becomes of their verdicts, and what happens when one fails.
//
// It knows neither how a plugin runs, which package wasm does, nor what the
// server does with the answer, which package hub does.
package hooks

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/revurb/revurb/hooks/abi"
)

// Hooks asks and tells the plugins that there are. A nil *Hooks has none. Its
// methods may be called concurrently.
type Hooks struct {
	mask atomic.Uint32 // the hooks that some plugin handles, a bit each
	set  atomic.Pointer[Set]
}

// Has reports whether any plugin handles h. It costs next to nothing, so that
// nobody builds an Event for nobody.
func (hs *Hooks) Has(h abi.Hook) bool { return hs != nil && hs.mask.Load()&(1<<h) != 0 }

// Denied is the error of what a plugin does not allow.
type Denied struct {
	Plugin  string
	Code    int    // 0 is the usual one
	Message string // for the client or the backend; never empty
	Failed  bool   // the plugin has decided nothing: it failed, and on_error is "deny"
}

func (d *Denied) Error() string { return fmt.Sprintf("plugin %s: %s", d.Plugin, d.Message) }

// Ask asks the plugins that handle h, in their order, of e, whose fields they
// may replace. The status is Continue when none has an opinion, Allow when one
// has allowed it, and Drop. The error is a *Denied.
func (hs *Hooks) Ask(ctx context.Context, h abi.Hook, e *Event) (abi.Status, error) {
	return abi.Continue, nil
}

// Tell has the plugins that handle h told of e, in the background. It never
// blocks: what does not fit into a plugin's queue is dropped, and counted.
func (hs *Hooks) Tell(h abi.Hook, e Event) {}

// Set is the plugins at one moment, in their order. It never changes.
type Set struct{}
