package redis

import (
	"fmt"
	"time"
)

// groups are the events of a batch by topic, as the script takes them. Those of a
// topic keep their order.
type groups struct {
	all     []sameTopic
	letters []byte // one for each; see scripts/publish.lua
}

// sameTopic are events of one topic that follow one another.
type sameTopic struct {
	topic  string
	events []*publication
	cache  *cached // of the only event
}

const (
	one     = '-'
	lasting = 'r'
	several = 'n'
	caching = 'c'
)

// groups sorts a batch.
func (b *batcher) groups(batch []*publication) groups {
	var g groups
	last := make(map[string]int, len(batch)) // group of a topic to which more may be added
	for _, p := range batch {
		if i, ok := last[p.topic]; ok && p.cache == nil {
			g.all[i].events = append(g.all[i].events, p)
			continue
		}
		if delete(last, p.topic); p.cache == nil {
			last[p.topic] = len(g.all)
		}
		g.all = append(g.all, sameTopic{p.topic, []*publication{p}, p.cache})
	}
	g.letters = make([]byte, len(g.all))
	for i, group := range g.all {
		switch lasts := b.lasts(group.topic); {
		case group.cache != nil:
			g.letters[i] = caching
		case len(group.events) > 1:
			g.letters[i] = several
		case lasts:
			g.letters[i] = lasting
		default:
			g.letters[i] = one
		}
	}
	return g
}

// names are the keys that the script uses.
func (g *groups) names(b *batcher) []string {
	k, part := b.node.keys, b.node.keys.of(b.index)
	names := append(make([]string, 0, 3+len(g.all)), part+":producers", part+":settled", part+":tot")
	for _, group := range g.all {
		names = append(names, k.channel(group.topic))
		if group.cache != nil {
			names = append(names, k.cache(group.topic))
		}
	}
	return names
}

// arguments are what the script is called with, at the given time of Redis's clock.
func (g *groups) arguments(b *batcher, ms int64, unsure bool) []any {
	n := b.node
	flag := map[bool]string{true: "1", false: "0"}
	r := n.config.retention()
	args := append(make([]any, 0, 11+2*len(g.all)), n.producer, b.attempt, fmt.Sprint(b.attempt, " ", b.sequence, " ", ms),
		flag[unsure], flag[b.look()], logLasts(r).Milliseconds(), r.Events, r.Bytes, len(n.keys.channelOf(b.index, "")), string(g.letters), b.server)
	for i, group := range g.all {
		if g.letters[i] == several {
			args = append(args, len(group.events))
		}
		for _, p := range group.events {
			args = append(args, p.entry)
		}
		if c := group.cache; c != nil {
			ttl := max(time.Millisecond, c.ttl) // else it is not kept, and yet published
			args = append(args, ttl.Milliseconds(), c.event.Name, []byte(c.event.Data))
		}
	}
	return args
}

// lasts reports whether the log of a topic must be told to last on: now and then
// is enough, since it lasts for longer than it must.
func (b *batcher) lasts(topic string) bool {
	now := time.Now()
	if t, ok := b.lasting[topic]; ok && now.Sub(t) < b.node.config.ReplayFor/2 {
		return false
	}
	if b.lasting == nil || len(b.lasting) >= mostLasting {
		b.lasting = map[string]time.Time{}
	}
	b.lasting[topic] = now
	return true
}

// mostLasting is of how many topics a batcher remembers when it had them last on.
const mostLasting = 50_000
