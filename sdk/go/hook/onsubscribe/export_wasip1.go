package onsubscribe

import (
	"unsafe"

	plugin "github.com/revurb/revurb/sdk/go"
)

//go:wasmexport revurb_on_subscribe
func export(ptr unsafe.Pointer, n uint32) uint64 { return plugin.Serve(handler, ptr, n) }
