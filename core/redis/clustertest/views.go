package clustertest

import "fmt"

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
	return c.Explain(n.redis, topic(channel))
}
