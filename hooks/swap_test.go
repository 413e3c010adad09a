package hooks_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

func TestSwapUnderLoad(t *testing.T) {
	hs := new(hooks.Hooks)
	swap := func(i int) *hookstest.Plugin {
		p := message("a", data(fmt.Sprintf("generation %d", i)))
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: p}))
		return p
	}
	old := swap(0)
	plugins := []*hookstest.Plugin{old}
	var stop atomic.Bool
	var asked atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for last := 0; !stop.Load(); asked.Add(1) {
				var e hooks.Event
				status, err := hs.Ask(t.Context(), abi.OnMessage, &e)
				var generation int
				if _, scan := fmt.Sscanf(e.Data, "generation %d", &generation); scan != nil || err != nil || status != abi.Continue {
					t.Errorf("got %v, %v and %q", status, err, e.Data)
					return
				}
				if generation < last {
					t.Errorf("generation %d after %d", generation, last)
				}
				last = generation
			}
		})
	}
	for i := range 200 {
		next := swap(i + 1)
		old.Retire()
		old = next
		plugins = append(plugins, next)
	}
	stop.Store(true)
	callers.Wait()
	hs.Swap(nil)
	calls := 0
	for _, p := range plugins {
		calls += len(p.Calls())
	}
	if int64(calls) != asked.Load() {
		t.Errorf("%d calls for %d questions", calls, asked.Load())
	}
}

func TestNobodyIsLeftUntoldBySwaps(t *testing.T) {
	hs := new(hooks.Hooks)
	var plugins []*hookstest.Plugin
	var members []*hooks.Member
	swap := func() {
		p, m := listener(t, "a", nil)
		plugins, members = append(plugins, p), append(members, m)
		hs.Swap(set(t, m))
	}
	swap()
	const each = 2000
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range each {
				tell(hs, "1.1")
			}
		})
	}
	for range 100 {
		swap()
	}
	callers.Wait()
	hs.Swap(nil)
	told := 0
	for i, p := range plugins {
		told += len(p.Calls()) + int(members[i].Stats().Dropped)
	}
	if told != 4*each {
		t.Errorf("%d were told or dropped, of %d", told, 4*each)
	}
}
