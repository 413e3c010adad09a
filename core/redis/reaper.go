package redis

import (
	"context"
	"time"
)

const (
	sweep     = 500 * time.Millisecond
	reapBatch = 256
	pumpBatch = 512
)

// reaper looks for what other nodes have left: what is due to be told, and what
// those had that are dead. Every node does, none leads; each entry is taken by
// one.
func (n *Node) reaper(ctx context.Context) {
	for sleep(ctx, sweep) {
		if n.health.away() {
			continue
		}
		n.pump(ctx, "")
		n.reap(ctx)
	}
}

// pump writes down what is due, or all that has gone if till is "+inf". An error
// is health's to notice.
func (n *Node) pump(ctx context.Context, till string) {
	for i := range n.parts {
		for {
			took, err := n.run(ctx, n.scripts.pump, n.keys.of(i), pumpBatch, till).Int()
			if err != nil || took < pumpBatch {
				break
			}
		}
	}
}

func (n *Node) reap(ctx context.Context) {
	dead, err := n.state.SMembers(ctx, n.keys.control()+":reap").Result()
	if err != nil {
		return
	}
	for _, name := range dead {
		if n.bury(ctx, name) != nil {
			return
		}
		n.log.Warn("another node has fallen silent: what it had is taken from the cluster", "node", name)
	}
}

// bury takes what a dead node had. Several nodes may, at once.
func (n *Node) bury(ctx context.Context, name string) error {
	for i := range n.parts {
		for {
			took, err := n.run(ctx, n.scripts.reap, n.keys.of(i), name, reapBatch).Int()
			if err != nil {
				return err
			}
			if took < reapBatch {
				break
			}
		}
	}
	return n.state.SRem(ctx, n.keys.control()+":reap", name).Err()
}
