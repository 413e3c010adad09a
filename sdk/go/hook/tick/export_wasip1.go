package tick

import (
	plugin "github.com/revurb/revurb/sdk/go"
)

//go:wasmexport revurb_tick
func export() uint64 { return plugin.Tick(handler) }
