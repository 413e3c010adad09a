package redis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	remind = time.Minute     // after which what is still wrong is said again
	passes = 5 * time.Second // for which it is not said: a failover is over by then
)

// complaints are what goes wrong where nobody waits for an answer. Each is said
// once, and again when it is another or has lasted for a minute.
type complaints struct {
	node *Node

	mu     sync.Mutex // guards what follows
	doings map[string]*complaint
}

// complaint is what goes wrong with one thing.
type complaint struct {
	since time.Time // zero while nothing does
	said  spoken
}

// complain notes how it went to do something, such as "tell backends what has
// changed": it is called each time, with nil where it went well. What is over in a
// moment is not logged, nor is what health says of all of Redis.
func (n *Node) complain(doing string, err error) {
	if d, ok := n.complaints.due(doing, err, time.Now()); ok {
		n.log.Error("cannot "+doing+": "+d.what, d.attrs(err)...)
	}
}

// due returns what is to be said of err now, if anything is.
func (c *complaints) due(doing string, err error, now time.Time) (d diagnosis, ok bool) {
	if errors.Is(err, context.Canceled) || errors.Is(err, redis.ErrClosed) { // the node stops
		return d, false
	}
	if c.node.health.away() {
		err = nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	one := c.of(doing)
	if err == nil {
		one.since = time.Time{}
		return d, false
	}
	if one.since.IsZero() {
		one.since = now
	}
	if passing(err) && now.Sub(one.since) < passes {
		return d, false
	}
	d = c.node.config.diagnose(err, true)
	return d, one.said.due(d.what, now)
}

func (c *complaints) of(doing string) *complaint {
	one := c.doings[doing]
	if one == nil {
		one = &complaint{said: spoken{}}
		if c.doings == nil {
			c.doings = map[string]*complaint{}
		}
		c.doings[doing] = one
	}
	return one
}

// passing reports whether err may well be of a failover, a restart or a slot that
// is moved.
func passing(err error) bool {
	if !answered(err) {
		return true
	}
	for _, prefix := range []string{"READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN", "BUSY "} {
		if saysRedis(err, prefix) {
			return true
		}
	}
	return false
}

// spoken is what has been said, and when.
type spoken map[string]time.Time

// due reports whether text is to be said now, and notes that it is.
func (s spoken) due(text string, now time.Time) bool {
	if at, ok := s[text]; ok && now.Sub(at) < remind {
		return false
	}
	s[text] = now
	return true
}

// attrs are what is logged with a diagnosis.
func (d diagnosis) attrs(err error) []any {
	if d.hint == "" {
		return []any{"err", err}
	}
	return []any{"hint", d.hint, "err", err}
}
