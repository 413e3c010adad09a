// Package wasm runs a plugin in a sandbox: a WebAssembly guest that reaches
// nothing but what it is granted, takes no more memory and time than it may, and
// cannot hold up or crash the server, whatever it does.
//
// A guest is loaded once and then lives in several instances, which wait in
// slots for a call. Calls do not allocate, and those of two processors write to
// no common cache line. An instance that has failed is thrown away: what it left
// in its memory is anyone's guess.
//
// Package abi is what host and guest have agreed on. This package knows neither
// the other plugins, which package hooks asks in their order, nor where the file
// of a plugin comes from, which package loader knows. It is the only one that
// imports a WebAssembly engine.
package wasm
