package redis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// judgeEvery is how often a node judges the leases of all: several times in the
// shortest pause that shows.
func (c Config) judgeEvery() time.Duration { return min(sweep, c.Lease/10) }

// unjudged is how long nobody may have judged before Redis is taken to have been
// away. A node that could not renew for less has the rest of its lease to do it.
// Leases do not run while Redis is away.
func (c Config) unjudged() time.Duration { return min(2*time.Second, c.Lease/3) }

// rest is how long they do not run either once Redis is back, so that each node has
// found that it is.
func (c Config) rest() time.Duration { return min(answer+lookEvery, c.Lease) }

// judge looks for nodes whose lease is over, until ctx is done. It waits for nothing
// else: a pause means that Redis was away.
func (p *peers) judge(ctx context.Context) {
	n, failing := p.node, false // so that the first of errors is logged, and no other
	for sleep(ctx, n.config.judgeEvery()) {
		if n.health.away() {
			continue
		}
		known, nodes, err := n.claim(ctx)
		var refused redis.Error // else health notices
		if errors.As(err, &refused) && !failing {
			n.log.Error("leases cannot be judged, and dead nodes are not reaped: Redis refused it", "err", err)
		}
		if failing = err != nil; failing {
			continue
		}
		p.saw(nodes)
		if !known {
			n.health.poke() // Redis has lost the lease of this node
		}
	}
}

// claim has those reaped whose lease is over. It reports whether this node has one,
// and how many have.
func (n *Node) claim(ctx context.Context) (known bool, nodes int, err error) {
	control := n.keys.control()
	keys := []string{control + ":alive", control + ":dead", control + ":reap", control + ":calls", control + ":clock"}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	c := n.config
	reply, err := n.scripts.claim.Run(ctx, n.state, keys, n.Name(),
		c.Lease.Milliseconds(), c.unjudged().Milliseconds(), c.rest().Milliseconds()).Int64Slice()
	if err != nil {
		return false, 0, fmt.Errorf("redis judge leases: %w", err)
	}
	return reply[0] == 1, int(reply[1]), nil
}
