package hookstest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Continue has no opinion.
func Continue() Func { return say(abi.Continue, nil) }

// Allow allows it.
func Allow() Func { return say(abi.Allow, nil) }

// AllowWith allows it, with the fields that set sets.
func AllowWith(set func(v *hooks.Verdict)) Func { return say(abi.Allow, set) }

// Deny denies it, with a message that may be "".
func Deny(message string) Func {
	return say(abi.Deny, func(v *hooks.Verdict) { v.Message = []byte(message) })
}

// Drop drops it.
func Drop() Func { return say(abi.Drop, nil) }

// Replace replaces the fields that set sets, as
//
//	hookstest.Replace(func(v *hooks.Verdict) { v.Data = []byte("***") })
func Replace(set func(v *hooks.Verdict)) Func { return say(abi.Replace, set) }

// Fail fails with err.
func Fail(err error) Func {
	return func(context.Context, *hooks.Event, *hooks.Verdict) error { return err }
}

func say(s abi.Status, set func(*hooks.Verdict)) Func {
	return func(_ context.Context, _ *hooks.Event, v *hooks.Verdict) error {
		v.Reset(s)
		if set != nil {
			set(v)
		}
		return nil
	}
}

// Gate holds calls until it is opened.
type Gate struct {
	test    context.Context // done when the test ends
	arrived chan struct{}
	opened  chan struct{}
	open    func()
}

// NewGate returns a gate, which opens when the test ends, if not before.
func NewGate(t testing.TB) *Gate {
	g := &Gate{test: t.Context(), arrived: make(chan struct{}, 1), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	return g
}

// Hold returns a Func that waits until the gate is opened, or its context is
// done, and then does what then does.
func (g *Gate) Hold(then Func) Func {
	return func(ctx context.Context, e *hooks.Event, v *hooks.Verdict) error {
		select {
		case g.arrived <- struct{}{}:
		default:
		}
		select {
		case <-g.opened:
			return then(ctx, e, v)
		case <-g.test.Done(): // before any cleanup, which may wait for this call
			return then(ctx, e, v)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Wait waits until a call has arrived at the gate since the last Wait.
func (g *Gate) Wait(t testing.TB) {
	t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(patience):
		t.Fatal("no call has arrived at the gate")
	}
}

// Open lets all calls through, those to come as well.
func (g *Gate) Open() { g.open() }

// Logger returns a logger to the output of the test.
func Logger(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
