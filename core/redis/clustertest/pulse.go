package clustertest

import (
	"sync"
	"time"
)

// pulse notices when the whole process stood still, as on a busy machine: then
// leases run out of nodes that did nothing wrong.
type pulse struct {
	done chan struct{}
	over chan struct{}

	mu    sync.Mutex // guards what follows
	still time.Time  // when it last stood still
}

func newPulse() *pulse {
	p := &pulse{done: make(chan struct{}), over: make(chan struct{})}
	go p.run()
	return p
}

func (p *pulse) run() {
	defer close(p.over)
	const every = 10 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-p.done:
			return
		case <-tick.C:
		}
		now := time.Now()
		if now.Sub(last) > lease/3 {
			p.mu.Lock()
			p.still = now
			p.mu.Unlock()
		}
		last = now
	}
}

// since reports whether the process has stood still since t.
func (p *pulse) since(t time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.still.After(t)
}

func (p *pulse) stop() {
	close(p.done)
	<-p.over
}
