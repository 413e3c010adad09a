package redis

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/revurb/revurb/core/channel"
)

// peers is what the nodes tell one another of themselves, with their leases.
type peers struct {
	node *Node

	mu     sync.Mutex // guards what follows
	here   map[string]int
	told   bool           // the others know of what is here
	others map[string]int // connections on all other nodes, by app
	nodes  int
}

// about is what a node tells.
type about struct {
	Connections map[string]int `json:"c"` // by app
}

// Connected implements hub.Cluster: so many clients of an app are here.
func (n *Node) Connected(app string, connections int) {
	p := &n.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.here == nil {
		p.here = map[string]int{}
	}
	p.told = false
	if connections == 0 {
		delete(p.here, app)
		return
	}
	p.here[app] = connections
}

// Elsewhere implements hub.Cluster: how many clients of an app the other nodes
// had when they last said so.
func (n *Node) Elsewhere(app string) int {
	p := &n.peers
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.others[app]
}

func (p *peers) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nodes
}

func (p *peers) changed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.told
}

func (p *peers) mine() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = true
	b, _ := json.Marshal(about{p.here}) // of strings and numbers
	return string(b)
}

// theirs reads a hash of what the nodes tell. What one cannot read is of a later
// version, and says nothing of connections.
func (p *peers) theirs(me string, infos []string) {
	others := map[string]int{}
	for i := 0; i+1 < len(infos); i += 2 {
		var a about
		if infos[i] == me || json.Unmarshal([]byte(infos[i+1]), &a) != nil {
			continue
		}
		for app, n := range a.Connections {
			others[app] += n
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.others, p.nodes = others, len(infos)/2
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
