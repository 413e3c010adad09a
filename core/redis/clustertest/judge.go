package clustertest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// truth is what all should agree on.
type truth struct {
	counts  map[string]int            // subscriptions of each channel
	members map[string]map[string]int // on how many nodes each user is in each channel
	nodes   map[string]map[string]int // by the names of nodes, what each has
}

func (c *cluster) truth() truth {
	t := truth{map[string]int{}, map[string]map[string]int{}, map[string]map[string]int{}}
	for _, n := range c.nodes {
		here := map[subject]bool{}
		has := map[string]int{}
		for _, cl := range n.clients {
			for channel := range cl.in {
				t.counts[channel]++
				has[channel]++
				s := subject{channel, cl.user}
				if !presence(channel) || here[s] {
					continue
				}
				here[s] = true
				if t.members[channel] == nil {
					t.members[channel] = map[string]int{}
				}
				t.members[channel][cl.user]++
			}
		}
		t.nodes[n.redis.Name()] = has
	}
	return t
}

// judge waits until all agree, and reports what still does not when they should.
func (c *cluster) judge(f Fault) {
	c.await(func() []string {
		return slices.Concat(c.wrongInRedis(), c.wrongViews(), c.missed(f))
	})
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			c.collect(cl)
		}
	}
	for _, v := range c.order.judge() {
		c.violate("%s", v)
	}
	c.outbox.read()
}

// last judges what takes the longest: what backends are told.
func (c *cluster) last() {
	c.await(func() []string {
		c.outbox.read()
		return slices.Concat(c.outbox.wrong(c.truth()), c.due())
	})
	c.await(c.outbox.untold)
}

func (c *cluster) await(wrong func() []string) {
	limit := time.Now().Add(c.Settle)
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		violations := wrong()
		switch {
		case len(violations) == 0:
			return
		case time.Now().After(limit):
			for _, v := range violations {
				c.violate("%s", v)
			}
			return
		}
		<-time.After(pause)
	}
}

// collect takes what was wrong with what a client was told at any time.
func (c *cluster) collect(cl *client) {
	cl.mu.Lock()
	faults := cl.faults
	cl.faults = nil
	cl.mu.Unlock()
	for _, v := range faults {
		c.violate("%s", v)
	}
	for channel := range cl.in {
		c.order.add(channel, cl)
	}
}

// wrongInRedis compares what Redis has with the truth.
func (c *cluster) wrongInRedis() (violations []string) {
	wrong := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	t := c.truth()
	totals := map[string]int{}
	for topic, n := range c.hash("tot") {
		totals[channelOf(topic)], _ = strconv.Atoi(n)
	}
	for _, channel := range channels {
		if totals[channel] != t.counts[channel] {
			wrong("Redis has %d subscriptions of %s, there are %d", totals[channel], channel, t.counts[channel])
		}
		if !presence(channel) {
			continue
		}
		hash := c.hash("p:" + c.app.ID + "\x00" + channel)
		has := 0
		for field, value := range hash {
			user, ok := strings.CutPrefix(field, "c\x00")
			if !ok {
				continue
			}
			has++
			if want := t.members[channel][user]; strconv.Itoa(want) != value {
				wrong("Redis has %s in %s on %s nodes, it is on %d", user, channel, value, want)
			}
			if _, ok := hash["i\x00"+user]; !ok {
				wrong("Redis has nothing to tell of %s in %s", user, channel)
			}
		}
		if want := len(t.members[channel]); has != want || len(hash)/2 != want { // two fields each, and the version
			wrong("Redis has %d members in %s and counts %d, there are %d", has, channel, len(hash)/2, want)
		}
	}
	keys, _ := c.server.Do("KEYS", c.key("[nm]:*")).([]any)
	for _, key := range keys {
		name := text(key)[len(c.key("n:")):]
		if t.nodes[name] == nil {
			wrong("Redis has %s of a node that is dead", text(key))
		}
	}
	return violations
}

// wrongViews compares what clients take for the members of their channels with
// the truth.
func (c *cluster) wrongViews() (violations []string) {
	t := c.truth()
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			for channel := range cl.in {
				if !presence(channel) {
					continue
				}
				view := cl.members(channel)
				for user := range t.members[channel] {
					if !view[user] {
						violations = append(violations, fmt.Sprintf("client %s of %s misses %s in %s; %s", cl.name, cl.user, user, channel, c.explain(n, channel)))
					}
				}
				for user := range view {
					if t.members[channel][user] == 0 {
						violations = append(violations, fmt.Sprintf("client %s of %s sees the ghost of %s in %s; %s", cl.name, cl.user, user, channel, c.explain(n, channel)))
					}
				}
			}
		}
	}
	return violations
}

// explain says what a node itself takes for the members of a channel.
func (c *cluster) explain(n *node, channel string) string {
	if c.Explain == nil {
		return ""
	}
	return c.Explain(n.redis, c.app.ID+"\x00"+channel)
}

// missed returns events that were accepted and have not come to whom they should.
func (c *cluster) missed(f Fault) (violations []string) {
	if faults[f].lossy {
		return nil
	}
	in := map[string][]*client{}
	for _, n := range c.nodes {
		for _, cl := range n.clients {
			for channel := range cl.in {
				in[channel] = append(in[channel], cl)
			}
		}
	}
	for _, e := range c.accepted {
		for _, cl := range in[e.channel] {
			if cl.in[e.channel] < e.id && e.except != cl && !cl.heard(e.channel, e.id) {
				violations = append(violations, fmt.Sprintf("client %s has not heard event %d of %s, in which it is since %d", cl.name, e.id, e.channel, cl.in[e.channel]))
			}
		}
	}
	return violations
}

// due returns what is still to be written down for backends.
func (c *cluster) due() []string {
	if n, _ := c.server.Do("ZCARD", c.key("due")).(int64); n > 0 {
		return []string{fmt.Sprintf("%d changes are due for backends and not written down", n)}
	}
	return nil
}

func (c *cluster) hash(name string) map[string]string {
	list, _ := c.server.Do("HGETALL", c.key(name)).([]any)
	m := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		m[text(list[i])] = text(list[i+1])
	}
	return m
}

// channelOf is the channel of a topic's key.
func channelOf(topic string) string {
	_, channel, _ := strings.Cut(topic, "\x00")
	return channel
}

func text(v any) string { return fmt.Sprint(v) }
