package websocket

import (
	"context"
	"sync"
)

// open counts the connections that are open.
type open struct {
	mu   sync.Mutex // guards what follows
	n    int
	none chan struct{} // closed when n becomes 0; nil if nobody waits
}

func (o *open) enter() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
}

func (o *open) leave() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.n--; o.n == 0 && o.none != nil {
		close(o.none)
		o.none = nil
	}
}

func (o *open) wait(ctx context.Context) error {
	o.mu.Lock()
	if o.n == 0 {
		o.mu.Unlock()
		return nil
	}
	if o.none == nil {
		o.none = make(chan struct{})
	}
	none := o.none
	o.mu.Unlock()
	select {
	case <-none:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
