//go:build unix

package wasm

import (
	"fmt"
	"syscall"
)

// reserve returns n bytes of zeros.
func reserve(n uint64) []byte {
	if n == 0 {
		return nil
	}
	b, err := syscall.Mmap(-1, 0, int(n), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(fmt.Errorf("map %d bytes for a plugin: %w", n, err)) // which ends the making of the instance
	}
	return b
}

func unreserve(b []byte) {
	if len(b) > 0 {
		_ = syscall.Munmap(b)
	}
}
