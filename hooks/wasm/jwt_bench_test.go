package wasm

import (
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// BenchmarkJWT is a token that a guest of plain Go verifies with hmac_sha256.
func BenchmarkJWT(b *testing.B) {
	p := load(b, buildGuest(b, "jwt"))
	var v hooks.Verdict
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Call(b.Context(), abi.OnMessage, &event, &v); err != nil || v.Status != abi.Allow {
			b.Fatal(v.Status, err)
		}
	}
}
