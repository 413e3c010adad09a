package onunsubscribed

import (
	"unsafe"

	plugin "github.com/revurb/revurb/sdk/go"
)

//go:wasmexport revurb_on_unsubscribed
func export(ptr unsafe.Pointer, n uint32) uint64 { return plugin.Tell(handler, ptr, n) }
