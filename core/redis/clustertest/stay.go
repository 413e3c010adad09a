package clustertest

import "strings"

// Each node has one client that stays, in a part of the channels: it is the only
// one of its user, and nobody may ever be told that he has gone while his node
// lives. And it hears all that there is to hear.
const stays = "stays-"

// lasting are the channels in which these clients are. The others are vacated at
// times.
func lasting(channel string) bool {
	return strings.HasSuffix(channel, "0") || strings.HasSuffix(channel, "5")
}

// settler adds the client that stays.
func (c *cluster) settler(n *node) {
	cl := &client{c: c, name: n.label + "/stays", user: stays + n.label, node: n, stays: true}
	c.connect(cl)
	n.clients = append(n.clients, cl)
	for _, channel := range channels {
		if lasting(channel) {
			c.subscribe(cl, channel)
		}
	}
}

// deadly reports whether a user may be told to be gone who has not left: only if
// its node is dead, or was alone, or the machine was so busy that nobody renewed a
// lease. Redis may have been away, or have lost all: that is no reason.
func (c *cluster) deadly(user string) bool {
	label, ok := strings.CutPrefix(user, stays)
	r := c.current.Load()
	if !ok || r == nil || r.fault == Part || c.pulse.since(r.begun) {
		return true
	}
	n := c.living(label)
	return n == nil || n.alone.Load()
}
