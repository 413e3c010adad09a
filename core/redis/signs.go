package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// signEvery is how often signs that something has changed are followed.
const signEvery = 100 * time.Millisecond

// signs are what was noticed of a change of servers, by whoever asked Redis for
// something.
type signs struct {
	followed atomic.Int64 // when the last one was, in nanoseconds
}

// elsewhere are the answers of a server that has not what it is asked for,
// anymore.
var elsewhere = []string{"READONLY", "MOVED", "MASTERDOWN", "CLUSTERDOWN"}

// noticed is told of what went wrong with a call to a partition. Any error may be
// the sign of a failover, or of a slot that has moved: it is looked into at once.
func (n *Node) noticed(partition int, err error) {
	if err == nil || errors.Is(err, context.Canceled) || n.closed.Load() {
		return
	}
	if slices.ContainsFunc(elsewhere, func(prefix string) bool { return saysRedis(err, prefix) }) {
		n.shards[partition].renew(fmt.Errorf("%w: %w", errReplaced, err))
		n.mayHaveLost()
	}
	now := time.Now().UnixNano()
	last := n.signs.followed.Load()
	if now-last < int64(signEvery) || !n.signs.followed.CompareAndSwap(last, now) {
		return
	}
	n.health.poke()
	n.reloadMap(context.Background())
}

// switched is told that another server is the master, or has a slot: all that is
// heard is heard there from now on.
func (n *Node) switched(why error) {
	for _, s := range n.shards {
		s.renew(fmt.Errorf("%w: %w", errReplaced, why))
	}
	n.health.poke()
	n.mayHaveLost()
}
