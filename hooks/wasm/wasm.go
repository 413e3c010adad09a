// Package wasm runs plugins in a sandbox.
package wasm

import "github.com/tetratelabs/wazero"

var _ = wazero.NewRuntimeConfig
