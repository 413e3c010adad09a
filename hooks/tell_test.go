package hooks_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// listener returns a member that is told who disconnects, and does f then.
func listener(t *testing.T, name string, f hookstest.Func) (*hookstest.Plugin, *hooks.Member) {
	p := hookstest.New(name, map[abi.Hook]hookstest.Func{abi.OnDisconnect: f})
	return p, hooks.NewMember(hooks.Entry{Plugin: p}, hookstest.Logger(t))
}

func set(t *testing.T, members ...*hooks.Member) *hooks.Set {
	t.Helper()
	s, err := hooks.NewSet(members...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func tell(hs *hooks.Hooks, socket string) {
	hs.Tell(abi.OnDisconnect, hooks.Event{App: "app", SocketID: socket})
}

func TestASlowPluginLosesWhatDoesNotFitAndDelaysNobody(t *testing.T) {
	gate := hookstest.NewGate(t)
	_, slow := listener(t, "slow", gate.Hold(hookstest.Continue()))
	quick, other := listener(t, "quick", nil)
	hs := new(hooks.Hooks)
	hs.Swap(set(t, slow, other))
	t.Cleanup(func() { gate.Open(); hs.Swap(nil) })
	tell(hs, "first")
	gate.Wait(t) // it holds one, and the queue is empty
	for i := range 1024 + 10 {
		tell(hs, fmt.Sprint(i))
		quick.Wait(t, i+2) // it has been told, so that its own queue is never full
	}
	if s := slow.Stats(); s.Queued != 1024 || s.Dropped != 10 {
		t.Errorf("slow: %d wait and %d are dropped, want 1024 and 10", s.Queued, s.Dropped)
	}
	if s := other.Stats(); s.Dropped != 0 {
		t.Errorf("quick: %d are dropped", s.Dropped)
	}
	for i, c := range quick.Calls()[1:] {
		if c.Event.SocketID != fmt.Sprint(i) {
			t.Fatalf("notification %d is of %s: not in their order", i, c.Event.SocketID)
		}
	}
}

func TestTheQueueIsBoundedInBytes(t *testing.T) {
	gate := hookstest.NewGate(t)
	p, m := listener(t, "a", gate.Hold(hookstest.Continue()))
	hs := new(hooks.Hooks)
	hs.Swap(set(t, m))
	tell(hs, "first")
	gate.Wait(t)
	big := hooks.Event{App: "app", Data: string(make([]byte, 1<<20)), HasData: true}
	for range 10 {
		hs.Tell(abi.OnDisconnect, big)
	}
	if s := m.Stats(); s.Queued != 3 || s.Dropped != 7 {
		t.Errorf("%d of 1 MiB wait and %d are dropped, want 3 and 7 with room for less than 4 MiB", s.Queued, s.Dropped)
	}
	gate.Open()
	p.Wait(t, 4)
	hs.Tell(abi.OnDisconnect, big) // there is room again
	p.Wait(t, 5)
	hs.Swap(nil)
}

func TestWhatAPluginFailsToBeToldIsCounted(t *testing.T) {
	_, m := listener(t, "a", hookstest.Fail(errBroken))
	hs := new(hooks.Hooks)
	hs.Swap(set(t, m))
	for range 3 {
		tell(hs, "1.1")
	}
	hs.Swap(nil)
	if s := m.Stats(); s.Dropped != 3 {
		t.Errorf("%d are dropped, want 3", s.Dropped)
	}
}

func TestSwapTellsTheOldWhatWaits(t *testing.T) {
	gate := hookstest.NewGate(t)
	old, m := listener(t, "a", gate.Hold(hookstest.Continue()))
	next, n := listener(t, "a", nil)
	hs := new(hooks.Hooks)
	hs.Swap(set(t, m))
	for i := range 10 {
		tell(hs, fmt.Sprint(i))
	}
	gate.Wait(t)
	swapped := make(chan struct{})
	go func() {
		hs.Swap(set(t, n))
		close(swapped)
	}()
	for i := 0; len(next.Calls()) == 0; i++ { // until the swap is under way
		tell(hs, "later")
		if i == 0 {
			gate.Open()
		}
	}
	<-swapped
	told := old.Calls()
	if len(told) < 10 {
		t.Fatalf("the old one was told %d, want 10 at least", len(told))
	}
	for i := range 10 {
		if got := told[i].Event.SocketID; got != fmt.Sprint(i) {
			t.Errorf("notification %d is of %s", i, got)
		}
	}
	tell(hs, "last")
	hs.Swap(nil)
	if n := len(old.Calls()); n != len(told) {
		t.Errorf("the old one was told %d more after the swap", n-len(told))
	}
	if c := next.Calls(); c[len(c)-1].Event.SocketID != "last" {
		t.Error("the new one was not told the last")
	}
}

func TestAPluginThatHangsHoldsSwapUpForAWhileOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context, *hooks.Event, *hooks.Verdict) error {
			time.Sleep(time.Second)
			return nil
		}
		_, a := listener(t, "a", slow)
		_, b := listener(t, "b", slow)
		hs := new(hooks.Hooks)
		hs.Swap(set(t, a, b))
		for range 100 {
			tell(hs, "1.1")
		}
		start := time.Now()
		hs.Swap(nil)
		if took := time.Since(start); took < 5*time.Second || took > 8*time.Second {
			t.Errorf("it took %v, want what one plugin may take, not two", took)
		}
		for _, m := range []*hooks.Member{a, b} {
			if s := m.Stats(); s.Queued != 0 || s.Dropped < 90 {
				t.Errorf("%d wait and %d are dropped", s.Queued, s.Dropped)
			}
		}
	})
}

func TestAMemberThatComesBackIsToldAgain(t *testing.T) {
	p, m := listener(t, "a", nil)
	hs := new(hooks.Hooks)
	for i := range 3 {
		hs.Swap(set(t, m))
		tell(hs, "1.1")
		hs.Swap(nil)
		tell(hs, "nobody")
		if n := len(p.Calls()); n != i+1 {
			t.Fatalf("it was told %d times, want %d", n, i+1)
		}
	}
}

func TestTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := hookstest.New("a", map[abi.Hook]hookstest.Func{abi.Tick: nil})
		hs := new(hooks.Hooks)
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: p}))
		time.Sleep(3*time.Second + time.Second/2)
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: hookstest.New("b", map[abi.Hook]hookstest.Func{abi.OnConnect: nil})}))
		time.Sleep(3 * time.Second)
		hs.Swap(nil)
		if n := len(p.Calls()); n != 3 {
			t.Errorf("%d ticks in 3.5 seconds, want 3", n)
		}
	})
}
