package redis

import (
	"context"
	"errors"
	"fmt"
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
		n.complain("take from the cluster what has gone", errors.Join(n.pump(ctx, ""), n.reap(ctx)))
	}
}

// pump writes down what is due, or all that has gone if till is "+inf".
func (n *Node) pump(ctx context.Context, till string) error {
	for i := range n.parts {
		for {
			took, err := n.run(ctx, n.scripts.pump, n.keys.of(i), []string{"due", "ev"}, pumpBatch, till).Int()
			if err != nil {
				return fmt.Errorf("write down what is due: %w", err)
			}
			if took < pumpBatch {
				break
			}
		}
	}
	return nil
}

func (n *Node) reap(ctx context.Context) error {
	dead, err := n.state.SMembers(ctx, n.keys.control()+":reap").Result()
	if err != nil {
		return fmt.Errorf("look for leases that have expired: %w", err)
	}
	for _, name := range dead {
		if err := n.bury(ctx, name); err != nil {
			return fmt.Errorf("reap node %s: %w", name, err)
		}
		n.log.Warn("node reaped: its lease expired", "node", name)
	}
	return nil
}

// bury takes what a dead node had. Several nodes may, at once.
func (n *Node) bury(ctx context.Context, name string) error {
	for _, p := range n.parts {
		if err := n.clear(ctx, p.prefix, name); err != nil {
			return err
		}
	}
	return n.state.SRem(ctx, n.keys.control()+":reap", name).Err()
}

// clear takes all that a node has in a partition.
func (n *Node) clear(ctx context.Context, part, name string) error {
	for {
		took, err := n.take(ctx, part, name, reapBatch)
		if err != nil || took == 0 {
			return err
		}
	}
}

// take takes some of what a node has in a partition, and returns how much. What
// that is has to be asked for first, since a script names the keys that it touches.
func (n *Node) take(ctx context.Context, part, name string, limit int) (int, error) {
	reply, err := n.run(ctx, n.scripts.left, part, []string{"nodes", "n:" + name, "m:" + name}, name, limit).Slice()
	if err != nil {
		return 0, err
	}
	args, topics := []any{name}, []string{}
	members, counts := texts(reply, 0), texts(reply, 1)
	for _, f := range members {
		if m, ok := parseMember(f); ok {
			args, topics = append(args, "m", m.topic, m.user), append(topics, m.topic)
		}
	}
	for _, topic := range counts {
		args = append(args, "n", topic)
	}
	if len(args) == 1 {
		return 0, nil
	}
	keys := append(append(stateKeys(name), "settled"), membersOf(topics)...)
	return len(members) + len(counts), n.run(ctx, n.scripts.reap, part, keys, args...).Err()
}

// texts returns a list of a script's reply.
func texts(reply []any, i int) (all []string) {
	if i >= len(reply) {
		return nil
	}
	list, _ := reply[i].([]any)
	for _, v := range list {
		if s, ok := v.(string); ok {
			all = append(all, s)
		}
	}
	return all
}
