package redis

import "context"

// judge looks for nodes whose lease is over, until ctx is done.
func (n *Node) judge(ctx context.Context) {
	for sleep(ctx, sweep) {
		if n.health.away() {
			continue
		}
		if known, err := n.claim(ctx); err == nil && !known {
			n.health.poke() // Redis has lost the lease of this node
		}
	}
}

// claim has those reaped whose lease is over. It reports whether this node has one;
// an error is health's to notice.
func (n *Node) claim(ctx context.Context) (known bool, err error) {
	control := n.keys.control()
	keys := []string{control + ":alive", control + ":dead", control + ":reap", control + ":calls"}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return n.scripts.claim.Run(ctx, n.state, keys, n.Name()).Bool()
}
