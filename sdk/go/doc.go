// Package plugin is for plugins of revurb in Go. A plugin is a main package that
// imports the hooks that it wants, each a package in hook:
//
//	package main
//
//	import (
//		plugin "github.com/revurb/revurb/sdk/go"
//		"github.com/revurb/revurb/sdk/go/hook/onmessage"
//	)
//
//	func init() { onmessage.Handle(check) }
//
//	func main() {} // never called
//
//	func check(e *plugin.Event) plugin.Verdict {
//		if len(e.Data()) > 500 {
//			return plugin.Deny("messages may have 500 bytes")
//		}
//		return plugin.Continue()
//	}
//
// and is built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o plugin.wasm
//
// What a plugin does not call, its .wasm does not import: it needs the
// capability kv only if it calls KVGet, KVSet, KVIncr or KVDel, and so on.
//
// The bytes of an event are the server's. They are valid until the handler
// returns; who keeps them, copies them. The same goes for what the functions
// here return, until the next call of the function.
//
// Built for anything but WebAssembly, the package talks to a Fake in place of
// the server, so that handlers can be tested with go test.
package plugin
