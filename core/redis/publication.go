package redis

import (
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/cache"
)

// publication is an event on its way to Redis.
type publication struct {
	topic   string
	except  string
	payload []byte
	cache   *cached

	until   time.Time // for which it waits
	done    chan error
	settled atomic.Bool // its publisher has been told, and waits no more

	// Owned by the batcher.
	entry  []byte // as it is sent; nil before the first time
	number int64  // of the event, among those of this node in the partition
}

// cached is what a cache channel keeps of a publication.
type cached struct {
	event cache.Event
	ttl   time.Duration
}

func newPublication(topic, except string, payload []byte, wait time.Duration) *publication {
	return &publication{topic: topic, except: except, payload: payload, until: time.Now().Add(wait), done: make(chan error, 1)}
}

// settle tells the publisher what has become of it. Only the first call has an
// effect, and reports so.
func (p *publication) settle(err error) bool {
	if !p.settled.CompareAndSwap(false, true) {
		return false
	}
	p.done <- err
	return true
}

// gone reports whether nobody waits for it anymore: it is too late, or the
// publisher has been told.
func (p *publication) gone() bool {
	if p.settled.Load() {
		return true
	}
	if time.Now().Before(p.until) {
		return false
	}
	p.settle(ErrAway)
	return true
}
