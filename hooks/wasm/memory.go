package wasm

import (
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

var _ experimental.MemoryAllocator = (*memory)(nil)

// memory is where the memories of a plugin's instances come from. Its kernel has
// pages for them that cost nothing until they are used, and none of it is moved
// when a guest asks for more.
type memory struct{ live atomic.Int64 }

// Allocate implements experimental.MemoryAllocator.
func (m *memory) Allocate(_, most uint64) experimental.LinearMemory {
	return &linear{memory: m, region: reserve(most)}
}

// linear is the memory of one instance.
type linear struct {
	memory *memory
	region []byte // all that it may have
	size   uint64
}

// Reallocate implements experimental.LinearMemory.
func (l *linear) Reallocate(size uint64) []byte {
	if size > uint64(len(l.region)) {
		return nil
	}
	l.memory.live.Add(int64(size) - int64(l.size))
	l.size = size
	return l.region[:size]
}

// Free implements experimental.LinearMemory.
func (l *linear) Free() {
	l.memory.live.Add(-int64(l.size))
	l.size = 0
	unreserve(l.region)
	l.region = nil
}
