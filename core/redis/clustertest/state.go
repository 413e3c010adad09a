package clustertest

import (
	"fmt"
	"strconv"
	"strings"
)

// wrongInRedis compares what Redis has with the truth.
func (c *cluster) wrongInRedis() (violations []string) {
	wrong := func(format string, args ...any) { violations = append(violations, fmt.Sprintf(format, args...)) }
	t := c.truth()
	totals, err := c.store.hashes(c.Parts, "tot")
	if err != nil {
		wrong("Redis does not say how many subscriptions there are: %v", err)
		return violations
	}
	for _, channel := range channels {
		if has := totals[topic(channel)]; has != strconv.Itoa(t.counts[channel]) && (has != "" || t.counts[channel] > 0) {
			wrong("Redis has %q subscriptions of %s, there are %d", has, channel, t.counts[channel])
		}
		if !presence(channel) {
			continue
		}
		hash, err := c.store.hash(c.Part(topic(channel)), "p:"+topic(channel))
		if err != nil {
			wrong("Redis does not say who is in %s: %v", channel, err)
			continue
		}
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
		want := len(t.members[channel])
		if count, counts := hash["n"]; has != want || counts && count != strconv.Itoa(want) {
			wrong("Redis has %d members in %s and counts %q, there are %d", has, channel, count, want)
		}
	}
	return append(violations, c.leftovers(t)...)
}

// leftovers returns what Redis has of nodes that are dead.
func (c *cluster) leftovers(t truth) (violations []string) {
	for _, part := range c.Parts {
		keys, err := c.store.keys(part, "[nm]:*")
		if err != nil {
			violations = append(violations, fmt.Sprintf("Redis does not say what keys it has: %v", err))
		}
		for _, key := range keys {
			if t.nodes[key[len("n:"):]] == nil {
				violations = append(violations, fmt.Sprintf("Redis has %s of a node that is dead", key))
			}
		}
	}
	return violations
}

// due returns what is still to be told to backends.
func (c *cluster) due() (violations []string) {
	for _, part := range c.Parts {
		v, err := c.store.do(part, "ZCARD", part+":due")
		if n, _ := v.(int64); n > 0 || err != nil {
			violations = append(violations, fmt.Sprintf("%d changes of %s are due for backends and not told: %v", n, part, err))
		}
	}
	return violations
}

// channelOf is the channel of a topic's key.
func channelOf(topic string) string {
	_, channel, _ := strings.Cut(topic, "\x00")
	return channel
}

func text(v any) string { return fmt.Sprint(v) }
