package redis

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// mending is what of a partition is to be compared with what the nodes have in
// Redis, and put right: a sum of subscriptions is that of what the nodes have, and
// a user is on as many nodes as have him.
type mending struct {
	args    []any
	counts  []string
	members []member
}

func (m *mending) size() int { return len(m.counts) + len(m.members) }

func (m *mending) count(args ...any) {
	m.args, m.counts = append(m.args, args...), append(m.counts, args[1].(string))
}

func (m *mending) member(who member, op string, rest ...any) {
	m.args, m.members = append(append(m.args, op, who.topic, who.user), rest...), append(m.members, who)
}

func (m *mending) topics() []string {
	topics := make([]string, len(m.members))
	for i, who := range m.members {
		topics[i] = who.topic
	}
	return topics
}

// mend compares, and puts right. It is the call of a node with that number, or of
// nobody. For each that is compared it returns the sum.
func (n *Node) mend(ctx context.Context, p *partition, name, call string, m mending) (sums []int64, err error) {
	for range 3 { // other nodes may have come since they were asked for
		var nodes []string
		if nodes, err = n.known(ctx, p); err != nil {
			return nil, err
		}
		args := []any{name, call, len(nodes)}
		for _, other := range nodes {
			args = append(args, other)
		}
		keys := append(stateKeys(nodes...), membersOf(m.topics())...)
		sums, err = n.run(ctx, n.scripts.mend, p.prefix, keys, append(args, m.args...)...).Int64Slice()
		if !redis.HasErrorPrefix(err, "NODES") {
			break
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(sums) != m.size()+1:
		return nil, errors.New("a script has not answered for all that it was asked")
	}
	n.repairs.Add(uint64(sums[0]))
	return sums[1:], nil
}

// known are the nodes that may have something in a partition: those that it knows,
// and others that live or are being reaped, of which it may have lost that.
func (n *Node) known(ctx context.Context, p *partition) ([]string, error) {
	control := n.keys.control()
	pipe := n.state.Pipeline()
	all := []*redis.StringSliceCmd{
		pipe.ZRange(ctx, control+":alive", 0, -1), pipe.SMembers(ctx, control+":reap"), pipe.HKeys(ctx, p.prefix+":nodes"),
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	var names []string
	for _, cmd := range all {
		names = append(names, cmd.Val()...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// stateKeys are those that scripts touch which change what nodes have, but for the
// members of topics.
func stateKeys(nodes ...string) []string {
	keys := []string{"nodes", "epoch", "recover", "tot", "due", "ev"}
	for _, name := range nodes {
		keys = append(keys, "n:"+name, "m:"+name)
	}
	return keys
}

// odd is what Redis seems to have lost something of.
type odd struct {
	counts  map[string]bool
	members map[member]bool
}

// suspectCount and suspectMember are called with mu held.
func (p *partition) suspectCount(topic string) { p.odd.counts[topic] = true }

func (p *partition) suspectMember(m member) { p.odd.members[m] = true }

// mendOdd sees to some of what is odd, and reports whether there was any.
func (p *partition) mendOdd(ctx context.Context) (some bool, err error) {
	m := p.oddities()
	if m.size() == 0 {
		return false, nil
	}
	p.call++
	if _, err := p.node.mend(ctx, p, p.name, strconv.FormatInt(p.call, 10), m); err != nil {
		p.mu.Lock()
		for _, topic := range m.counts {
			p.suspectCount(topic)
		}
		for _, who := range m.members {
			p.suspectMember(who)
		}
		p.mu.Unlock()
		return true, p.refused(ctx, err)
	}
	return true, nil
}

// oddities takes some of what is odd, as this node has it. What is dirty waits
// until that has been said.
func (p *partition) oddities() (m mending) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic := range p.odd.counts {
		if m.size() >= maxBatch {
			break
		}
		if !p.dirty.counts[topic] {
			delete(p.odd.counts, topic)
			m.count("n", topic, p.counts[topic])
		}
	}
	for who := range p.odd.members {
		if m.size() >= maxBatch {
			break
		}
		if p.dirty.members[who] {
			continue
		}
		delete(p.odd.members, who)
		if h := p.members[who]; h != nil {
			m.member(who, "j", "", h.info)
		} else {
			m.member(who, "l")
		}
	}
	return m
}
