// Misbehave is a guest that does in each hook something else that it should not.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {}

var buffer []byte

//go:wasmexport revurb_abi_1
func marker() {}

//go:wasmexport revurb_buffer
func reserve(size uint32) *byte {
	buffer = make([]byte, size)
	return &buffer[0]
}

//go:wasmexport revurb_on_message
func panics(_, _ uint32) uint64 { panic("out of ideas") }

//go:wasmexport revurb_on_connect
func exits(_, _ uint32) uint64 {
	os.Exit(3)
	return 0
}

//go:wasmexport revurb_authorize
func dereferencesNil(_, _ uint32) uint64 {
	var p *time.Time
	return uint64(p.Unix())
}

//go:wasmexport revurb_on_signin
func waitsForever(_, _ uint32) uint64 {
	<-make(chan struct{})
	return 0
}

// looksAround returns Allow if there is nothing to see.
//
//go:wasmexport revurb_on_subscribe
func looksAround(_, _ uint32) uint64 {
	begin := time.Now()
	time.Sleep(time.Hour)
	slept := time.Since(begin)
	_, err := os.ReadFile("/etc/passwd")
	_, err2 := os.Create("file")
	fmt.Printf("env %v, args %d, read %v, create %v, slept %v\n", os.Environ(), len(os.Args), err != nil, err2 != nil, slept.Round(time.Minute))
	return 1
}
