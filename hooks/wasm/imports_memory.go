package wasm

import (
	"encoding/binary"
	"fmt"

	"github.com/revurb/revurb/hooks/abi"
)

// MemoryError is the trap of a guest that gives the host an address outside its
// memory.
type MemoryError struct {
	Function  string // that was called
	Addr, Len uint32
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("%s was called with %d bytes at address %d, which are not inside the memory of the plugin", e.Function, e.Len, e.Addr)
}

// bytes returns memory of the guest, not a copy. It is valid until the guest
// runs again.
func (c call) bytes(addr, size uint64) []byte {
	b, ok := c.mod.Memory().Read(uint32(addr), uint32(size))
	if !ok {
		panic(&MemoryError{Function: c.name, Addr: uint32(addr), Len: uint32(size)})
	}
	return b
}

func (c call) putUint32(addr uint64, v uint32) {
	binary.LittleEndian.PutUint32(c.bytes(addr, 4), v)
}

func (c call) putUint64(addr, v uint64) {
	binary.LittleEndian.PutUint64(c.bytes(addr, 8), v)
}

// fill copies value to a buffer of the guest, and returns its length. It writes
// nothing if the buffer is too small.
func (c call) fill(addr, size uint64, value []byte) uint64 {
	buf := c.bytes(addr, size)
	if len(value) <= len(buf) {
		copy(buf, value)
		c.spend(len(value))
	}
	return uint64(len(value))
}

// fillString is fill for a string.
func (c call) fillString(addr, size uint64, value string) uint64 {
	buf := c.bytes(addr, size)
	if len(value) <= len(buf) {
		copy(buf, value)
		c.spend(len(value))
	}
	return uint64(len(value))
}

// What an import returns in place of a length, as it is on the stack.
var (
	notFound    = negative(abi.ErrNotFound)
	denied      = negative(abi.ErrDenied)
	badArgument = negative(abi.ErrArgument)
	quota       = negative(abi.ErrQuota)
	tooLarge    = negative(abi.ErrTooLarge)
)

func negative(code int32) uint64 { return uint64(uint32(code)) }
