package redis

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/revurb/revurb/core/channel"
)

// peers are the nodes of the cluster, this one among them.
type peers struct {
	node *Node

	mu    sync.Mutex // guards what follows
	nodes int        // that have a lease, as Redis last knew them
}

func (p *peers) saw(nodes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nodes = nodes
}

func (p *peers) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes
}

// Subscriptions implements hub.Cluster: of a topic, on all nodes.
func (n *Node) Subscriptions(ctx context.Context, t channel.Topic) (int, error) {
	key := topicKey(t)
	p := n.part(key)
	if err := p.settle(ctx); err != nil {
		return 0, ErrAway
	}
	total, err := n.state.HGet(ctx, p.prefix+":tot", key).Int()
	return total, absent(err)
}

// Channels implements hub.Cluster: the channels of an app that have subscriptions
// anywhere, and how many.
func (n *Node) Channels(ctx context.Context, app, prefix string) (map[string]int, error) {
	all := map[string]int{}
	for _, p := range n.parts {
		if err := p.settle(ctx); err != nil {
			return nil, ErrAway
		}
		match := escapeGlob(app+"\x00"+prefix) + "*"
		iter := n.state.HScan(ctx, p.prefix+":tot", 0, match, 1000).Iterator()
		for iter.Next(ctx) {
			t, ok := parseTopic(iter.Val())
			if !iter.Next(ctx) {
				break
			}
			if !ok || channel.Reserved(t.Channel) {
				continue
			}
			var count int
			if json.Unmarshal([]byte(iter.Val()), &count) == nil && count > 0 {
				all[t.Channel] = count
			}
		}
		if err := iter.Err(); err != nil {
			return nil, ErrAway
		}
	}
	return all, nil
}

// Count implements hub.Cluster: so many subscriptions of a topic are here.
func (n *Node) Count(t channel.Topic, subscriptions int) {
	key := topicKey(t)
	n.part(key).count(key, subscriptions)
}

// escapeGlob returns s as a pattern that only s matches.
func escapeGlob(s string) string {
	var b []byte
	for i := range len(s) {
		switch s[i] {
		case '*', '?', '[', ']', '\\', '^':
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return string(b)
}
