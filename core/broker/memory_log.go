package broker

import (
	"context"
	"sync"
	"time"

	"github.com/revurb/revurb/core/channel"
)

// memoryLogs are the logs of a Memory.
type memoryLogs struct {
	mu      sync.Mutex // guards what follows, and the order of what is published with a log
	all     map[channel.Topic]*memoryLog
	epoch   int64 // of the log that began last
	sweepAt int   // so many logs call for a sweep
}

// memoryLog is the log of one topic.
type memoryLog struct {
	epoch  int64
	tip    int64
	kept   []keptMessage // the oldest first
	bytes  int           // of kept
	active time.Time     // when it was last appended to or looked at
}

type keptMessage struct {
	Message
	at time.Time
}

// minSweep is how many logs there may be before those are dropped that are over.
const minSweep = 1024

// publish delivers m and appends it. The mutex is held while m is delivered, which
// does not block: so the log has the order in which messages were delivered.
func (b *Memory) publish(m Message) error {
	l := &b.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.open(m.Topic, b.Retention)
	m.Position = Position{log.epoch, log.tip + 1}
	b.mu.RLock()
	ok := b.topics[m.Topic]
	b.mu.RUnlock()
	if ok {
		if err := b.deliver(m); err != nil {
			return err
		}
	}
	log.append(m, b.Retention)
	return nil
}

// open returns the log of a topic, which begins if there is none. It is called
// with mu held.
func (l *memoryLogs) open(t channel.Topic, r Retention) *memoryLog {
	now := time.Now()
	log := l.all[t]
	if log != nil {
		log.active = now
		return log
	}
	if len(l.all) >= max(l.sweepAt, minSweep) {
		l.sweep(now, r)
	}
	if l.all == nil {
		l.all = map[channel.Topic]*memoryLog{}
	}
	// A time, so that a server that is started again goes on with none of them.
	l.epoch = max(l.epoch+1, now.UnixMicro())
	log = &memoryLog{epoch: l.epoch, active: now}
	l.all[t] = log
	return log
}

// sweep drops logs of which nothing can be read anymore. The next sweep is due
// when there are twice as many, so that each new log pays for a constant share.
func (l *memoryLogs) sweep(now time.Time, r Retention) {
	for t, log := range l.all {
		if now.Sub(log.active) > 2*r.For {
			delete(l.all, t)
		}
	}
	l.sweepAt = 2 * len(l.all)
}

func (log *memoryLog) append(m Message, r Retention) {
	log.tip++
	log.kept = append(log.kept, keptMessage{m, log.active})
	log.bytes += size(m)
	for len(log.kept) > 1 && (len(log.kept) > r.Events || log.bytes > r.Bytes) {
		log.drop()
	}
	log.expire(log.active, r)
}

// expire drops what is too old.
func (log *memoryLog) expire(now time.Time, r Retention) {
	for len(log.kept) > 0 && now.Sub(log.kept[0].at) > r.For {
		log.drop()
	}
}

func (log *memoryLog) drop() {
	log.bytes -= size(log.kept[0].Message)
	log.kept[0] = keptMessage{} // what it points to may be large
	log.kept = log.kept[1:]
}

func size(m Message) int { return len(m.Frame.Payload()) + len(m.Except) }

// Tip implements Log. Of a Memory that keeps nothing it is the zero Position.
func (b *Memory) Tip(_ context.Context, t channel.Topic) (Position, error) {
	if b.Retention == (Retention{}) {
		return Position{}, nil
	}
	l := &b.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.open(t, b.Retention)
	return Position{log.epoch, log.tip}, nil
}

// Read implements Log.
func (b *Memory) Read(_ context.Context, t channel.Topic, after Position, limit int) (Page, error) {
	if b.Retention == (Retention{}) {
		return Page{Complete: after == Position{}}, nil
	}
	l := &b.logs
	l.mu.Lock()
	defer l.mu.Unlock()
	log := l.open(t, b.Retention)
	log.expire(log.active, b.Retention)
	return log.page(after, limit), nil
}

func (log *memoryLog) page(after Position, limit int) Page {
	p := Page{Tip: Position{log.epoch, log.tip}, Complete: true}
	first := log.tip - int64(len(log.kept)) + 1
	from := first
	switch same := after.Epoch == log.epoch && after.Offset <= log.tip; {
	case same && after.Offset >= first-1:
		from = after.Offset + 1
	case same:
		p.Complete, p.Missing = false, first-1-after.Offset
	default:
		p.Complete = after == Position{} && first == 1
	}
	for _, m := range log.kept[from-first:] {
		if len(p.Messages) >= max(1, limit) {
			break
		}
		p.Messages = append(p.Messages, m.Message)
	}
	return p
}
