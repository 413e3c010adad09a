// Package cache keeps the last event of cache channels, whether anyone is
// subscribed to them or not.
//
// Memory, in this package, serves a single node. A Store does not know which
// channels are cache channels, nor who is shown what it keeps.
package cache

import (
	"context"
	"encoding/json"
	"time"

	"github.com/revurb/revurb/core/channel"
)

// Event is the last event of a channel.
type Event struct {
	Name string
	Data json.RawMessage // a JSON string

	// Version is set by a store of a cluster: events that replace one another have
	// growing ones. 0 is none.
	Version int64
}

// Store keeps one event for each topic. All methods may be called concurrently.
type Store interface {
	// Put replaces what is kept for t, for as long as ttl.
	Put(ctx context.Context, t channel.Topic, e Event, ttl time.Duration) error

	// Get returns what is kept for t, and for how long it still will be.
	Get(ctx context.Context, t channel.Topic) (e Event, ttl time.Duration, ok bool, err error)
}
