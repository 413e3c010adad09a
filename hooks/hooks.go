// Package hooks is the points at which plugins have a say in what the server
// does, or are told of it. It decides the order in which plugins are asked, what
// becomes of their verdicts, and what happens when one fails.
//
// It knows neither how a plugin runs, which package wasm does, nor what the
// server does with the answer, which package hub does.
package hooks

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/revurb/revurb/hooks/abi"
)

// Hooks asks and tells the plugins that there are. A nil *Hooks has none, and so
// has the zero value. Its methods may be called concurrently.
type Hooks struct {
	mask atomic.Uint32 // the hooks that some plugin has, a bit each
	set  atomic.Pointer[Set]

	swapping sync.Mutex // held by Swap
}

// Has reports whether any plugin has h. It costs next to nothing, so that
// nobody builds an Event for nobody.
func (hs *Hooks) Has(h abi.Hook) bool { return hs != nil && hs.mask.Load()&(1<<h) != 0 }

// Any reports whether there is any plugin.
func (hs *Hooks) Any() bool { return hs != nil && hs.mask.Load() != 0 }

// Swap makes s the plugins that are asked and told from now on; nil is none. It
// returns when those that are not in s are told nothing anymore, and what waited
// to be told them has been. Calls of Ask may still be under way.
func (hs *Hooks) Swap(s *Set) {
	hs.swapping.Lock()
	defer hs.swapping.Unlock()
	if s == nil {
		s = new(Set)
	}
	for _, m := range s.members {
		m.worker.start()
	}
	old := hs.set.Swap(s)
	hs.mask.Store(s.mask)
	if old == nil {
		return
	}
	var ending []<-chan struct{}
	for _, m := range old.members {
		if s.named(m.Plugin.Name()) != m {
			ending = append(ending, m.worker.end())
		}
	}
	for _, done := range ending {
		<-done
	}
}

// Denied is the error of what a plugin does not allow.
type Denied struct {
	Plugin  string
	Code    int    // 0 is the usual one
	Message string // for the client or the backend; never empty
	Failed  bool   // the plugin has decided nothing: it failed, and on_error is "deny"
}

func (d *Denied) Error() string { return fmt.Sprintf("plugin %s: %s", d.Plugin, d.Message) }
