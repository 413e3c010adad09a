package hooks

import (
	"context"
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
			m = hs.set.Load().named(m.Plugin.Name()) // it has been replaced since
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
	bytes   atomic.Int64
	dropped atomic.Uint64

	mu    sync.RWMutex  // guards what follows
	queue chan note     // nil while nothing runs; closed by end
	done  chan struct{} // closed when the worker has ended
}

// waiting is how many notifications wait.
func (w *worker) waiting() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.queue)
}

// add reports false when the worker does not run.
func (w *worker) add(n note) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.queue == nil {
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

// start starts the worker, unless it runs.
func (w *worker) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue != nil {
		return
	}
	w.queue, w.done = make(chan note, maxQueued), make(chan struct{})
	go w.run(w.queue, w.done)
}

// end has the worker tell what waits, for a while, and end: then it closes done.
func (w *worker) end() (done <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.queue)
	w.queue = nil
	return w.done
}

func (w *worker) run(queue <-chan note, done chan<- struct{}) {
	defer close(done)
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
		case n, ok := <-queue:
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
	return w.queue == nil
}

// tell tells the plugin. What it fails to be told is lost.
func (w *worker) tell(h abi.Hook, e *Event, v *Verdict) {
	err := w.member.call(context.Background(), h, e, v)
	if err != nil && h != abi.Tick {
		w.dropped.Add(1)
	}
}
