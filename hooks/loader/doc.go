// Package loader makes plugins of files: it reads, checks and loads what
// [[plugins]] in revurb.toml names, and does so again when it is told to or when
// a file changes. A change is for all plugins or for none: while there is a
// mistake anywhere, the server goes on with what it has.
//
// It knows where plugins come from, and neither how they run, which package wasm
// does, nor when they are asked, which package hooks does.
package loader
