package redis

import (
	"log/slog"
	"sync"
	"time"
)

// incident is how long losses are gathered for one line of the log.
const incident = 2 * time.Second

// losses counts the events that were accepted and could not be delivered to the
// clients of this node.
type losses struct {
	log *slog.Logger

	mu     sync.Mutex // guards what follows
	events uint64     // ever
	recent map[string]int64
	since  time.Time // that the first of recent was noticed
}

// add counts events of a topic that its log does not have anymore.
func (l *losses) add(topic string, events int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events += uint64(events) //nolint:gosec // it is positive
	if l.recent == nil {
		l.recent, l.since = map[string]int64{}, time.Now()
		time.AfterFunc(incident, l.report)
	}
	l.recent[topic] += events
}

// report says once what was lost in an incident.
func (l *losses) report() {
	l.mu.Lock()
	recent, since := l.recent, l.since
	l.recent = nil
	l.mu.Unlock()
	var events int64
	for _, n := range recent {
		events += n
	}
	l.log.Error("events were lost: Redis does not have them anymore, and clients of this node have not received them",
		"events", events, "topics", len(recent), "since", since.UTC().Format(time.RFC3339))
}

func (l *losses) count() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events
}
