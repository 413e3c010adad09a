//go:build !race

package hooks_test

import (
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// The race detector makes sync.Pool forget at random, so this is not for it.

func TestToContinueDoesNotAllocate(t *testing.T) {
	hs := silence(t)
	ctx := t.Context()
	e := hooks.Event{App: "app", Channel: "private-a", Data: "hi", HasData: true}
	if n := testing.AllocsPerRun(1000, func() {
		if status, err := hs.Ask(ctx, abi.OnMessage, &e); status != abi.Continue || err != nil {
			t.Errorf("got %v, %v", status, err)
		}
	}); n != 0 {
		t.Errorf("Ask allocates %v times", n)
	}
	signed := func() error { return nil }
	if n := testing.AllocsPerRun(1000, func() {
		if err := hs.Authorize(ctx, &e, signed); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("Authorize allocates %v times", n)
	}
}
