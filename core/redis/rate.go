package redis

import (
	"context"
	"errors"
	"time"
)

// Allow implements hub.Cluster: a limit of an app, of so many a second on all
// nodes together.
func (n *Node) Allow(ctx context.Context, app, limit string, count, perSecond int) (wait time.Duration, ok bool, err error) {
	key := n.keys.control() + ":rate:" + limit + ":" + app
	us, err := n.scripts.allow.Run(ctx, n.state, []string{key}, count, perSecond).Int64()
	if err != nil {
		return 0, false, errors.Join(ErrAway, err)
	}
	return time.Duration(us) * time.Microsecond, us == 0, nil
}
