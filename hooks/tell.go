package hooks

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/hooks/abi"
)

const (
	maxQueued      = 1024    // notifications that wait for a plugin
	maxQueuedBytes = 4 << 20 // the same in bytes
	farewell       = 5 * time.Second
	tickEvery      = time.Second
)

// Tell has the plugins that have h told of e, in the background. It never
// blocks: what does not fit into the queue of a plugin is dropped, and counted.
func (hs *Hooks) Tell(h abi.Hook, e Event) {
	if !hs.Has(h) {
		return
	}
	set := hs.set.Load()
	for _, m := range set.chains[h] {
		for m != nil && m.has(h) && m.concerns(h, &e) && !m.worker.add(note{h, e}) {
			// It has been replaced since.
			next := hs.set.Load().named(m.Plugin.Name())
			if next == m {
				break
			}
			m = next
		}
	}
}

// note is what a plugin is to be told.
type note struct {
	hook  abi.Hook
	event Event
}

func (n *note) size() int64 {
	e := &n.event
	return int64(len(e.App) + len(e.Channel) + len(e.SocketID) + len(e.UserID) + len(e.Name) + len(e.Data) + len(e.UserInfo) + 256)
}

// worker tells a plugin what happens, one thing after the other.
type worker struct {
	member  *Member
	queue   chan note
	bytes   atomic.Int64
	dropped atomic.Uint64
	done    chan struct{} // closed when the worker has ended

	mu      sync.RWMutex // guards what follows
	started bool
	stopped bool
}

func (w *worker) init(m *Member) {
	w.member = m
	w.queue = make(chan note, maxQueued)
	w.done = make(chan struct{})
}

// add reports false when the worker has been stopped.
func (w *worker) add(n note) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.stopped {
		return false
	}
	size := n.size()
	if w.bytes.Add(size) > maxQueuedBytes {
		w.bytes.Add(-size)
		w.dropped.Add(1)
		return true
	}
	select {
	case w.queue <- n:
	default:
		w.bytes.Add(-size)
		w.dropped.Add(1)
	}
	return true
}

// start starts the worker of m, unless it runs.
func (m *Member) start() {
	w := &m.worker
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.started {
		return
	}
	w.started = true
	go w.run()
}

// stop lets the worker of m tell what waits, for a while, and ends it.
func (m *Member) stop() {
	w := &m.worker
	w.mu.Lock()
	stopping := w.started && !w.stopped
	w.stopped = true
	w.mu.Unlock()
	if !stopping {
		return
	}
	close(w.queue)
	<-w.done
}

func (w *worker) run() {
	defer close(w.done)
	var ticks <-chan time.Time
	if w.member.has(abi.Tick) {
		t := time.NewTicker(tickEvery)
		defer t.Stop()
		ticks = t.C
	}
	var v Verdict
	var last time.Time // to tell, since the queue was closed
	for {
		select {
		case n, ok := <-w.queue:
			if !ok {
				return
			}
			w.bytes.Add(-n.size())
			if last.IsZero() && w.closing() {
				last = time.Now().Add(farewell)
			}
			if !last.IsZero() && time.Now().After(last) {
				w.dropped.Add(1)
				continue
			}
			w.tell(n.hook, &n.event, &v)
		case <-ticks:
			w.tell(abi.Tick, new(Event), &v)
		}
	}
}

func (w *worker) closing() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.stopped
}

// tell tells the plugin. What it fails to be told is lost.
func (w *worker) tell(h abi.Hook, e *Event, v *Verdict) {
	err := w.member.call(context.Background(), h, e, v)
	if err != nil && h != abi.Tick && !errors.Is(err, ErrRetired) {
		w.dropped.Add(1)
	}
}
