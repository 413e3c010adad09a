package wasm

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/hooks"
)

// ErrBusy is the error of a call that found no free instance in time.
var ErrBusy = errors.New("no instance of the plugin came free in time")

// slot is the place of one instance, which always comes back to it. No two slots
// share a cache line, and only who holds the instance writes to the counters.
type slot struct {
	x    atomic.Pointer[instance] // nil while it is held, or being made
	gone atomic.Bool              // nobody will hold it anymore
	counters
	_ [128]byte

	seen counters // when Stats last looked
}

// acquire returns an instance, which the caller must release or discard. It
// waits for one as long as a call may take. It looks first where hint says:
// processors that have a slot each do not get in one another's way.
func (p *Plugin) acquire(hint *int) (*instance, error) {
	x, err := p.take(hint)
	if x != nil || err != nil {
		return x, err
	}
	if x, err = p.wait(hint); errors.Is(err, ErrBusy) {
		p.busy.Add(1)
	}
	return x, err
}

// take returns a free instance, or nil.
func (p *Plugin) take(hint *int) (*instance, error) {
	if p.retired.Load() {
		return nil, hooks.ErrRetired
	}
	at := *hint
	for range p.slots {
		if uint(at) >= uint(len(p.slots)) {
			at = 0
		}
		s := &p.slots[at]
		if x := s.x.Load(); x != nil && s.x.CompareAndSwap(x, nil) {
			*hint = at
			if p.retired.Load() {
				p.drop(x)
				return nil, hooks.ErrRetired
			}
			return x, nil
		}
		at++
	}
	return nil, nil
}

func (p *Plugin) wait(hint *int) (*instance, error) {
	p.waiting.Add(1)
	defer p.waiting.Add(-1)
	timeout := time.NewTimer(p.o.Limits.Call)
	defer timeout.Stop()
	for {
		if x, err := p.take(hint); x != nil || err != nil {
			return x, err
		}
		select {
		case <-p.free:
		case <-p.gone:
			return nil, hooks.ErrRetired
		case <-timeout.C:
			return nil, ErrBusy
		}
	}
}

// release puts an instance back.
func (p *Plugin) release(x *instance) {
	if p.retired.Load() {
		p.drop(x)
		return
	}
	s := x.slot
	s.x.Store(x)
	if p.retired.Load() { // Retire may have looked here already
		if x := s.x.Swap(nil); x != nil {
			p.drop(x)
		}
		return
	}
	if p.waiting.Load() > 0 {
		select {
		case p.free <- struct{}{}:
		default:
		}
	}
}

// discard throws an instance away, and has another one made in its place. A
// guest that fails every time is made again only so often.
func (p *Plugin) discard(x *instance) {
	s := x.slot
	p.looking.Lock()
	s.seen = s.counters // nobody can look at them until the next one is there
	p.looking.Unlock()
	p.respawns.Add(1)
	p.drop(x)
	if p.retired.Load() {
		return
	}
	wait, ok := p.pace.AllowN(1)
	if ok {
		go p.respawn(s)
		return
	}
	time.AfterFunc(wait, func() { p.respawn(s) })
}

func (p *Plugin) respawn(s *slot) {
	if p.retired.Load() {
		return
	}
	x, err := p.spawn(s)
	if err == nil {
		p.release(x)
		return
	}
	if p.imports.host.Log != nil {
		p.imports.host.Log.Error("a plugin's instance could not be made again", "plugin", p.o.Name, "err", err)
	}
	if !p.retired.Load() {
		time.AfterFunc(time.Second, func() { p.respawn(s) })
	}
}

// spawn makes an instance for a slot. The caller holds it.
func (p *Plugin) spawn(s *slot) (x *instance, err error) {
	p.live.Add(1)
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("start: %v", reason)
		}
		if err != nil {
			p.live.Add(-1)
			p.settle()
		}
	}()
	if p.retired.Load() {
		return nil, hooks.ErrRetired
	}
	return p.newInstance(s)
}
