package redis

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/revurb/revurb/core/broker"
)

// retention is how much of each log is kept.
func (c Config) retention() broker.Retention {
	return broker.Retention{For: c.ReplayFor, Events: c.ReplayEvents, Bytes: c.ReplayBytes}
}

// offset is where a log has ended, and with which event.
type offset struct {
	at       broker.Position
	producer string // "" if nothing was published
	number   int64
}

// id names the event as Redis has it.
func (o offset) id() string {
	if o.producer == "" {
		return ""
	}
	return eventID(o.producer, o.number)
}

// offsets are those of some topics of a partition, at one instant.
type offsets struct {
	now       int64            // milliseconds of Redis's clock
	producers map[string]int64 // what each has published last in the partition
	of        []offset
}

// offsets reads where the logs of topics are. From then on what is published there
// is appended, wherever nodes may be.
func (n *Node) offsets(ctx context.Context, partition int, topics []string) (o offsets, err error) {
	names := append(make([]string, 0, 1+len(topics)), n.keys.of(partition)+":producers")
	for _, topic := range topics {
		names = append(names, n.keys.channel(topic))
	}
	reply, err := n.scripts.offsets.Run(ctx, n.state, names, logLasts(n.config.retention()).Milliseconds()).Slice()
	if err != nil {
		return o, fmt.Errorf("read offsets: %w", err)
	}
	if len(reply) != 2+3*len(topics) {
		return o, fmt.Errorf("read offsets: %w", errEnvelope)
	}
	o.now, _ = reply[0].(int64)
	o.producers = n.parseProducers(reply[1])
	n.clock.set(o.now)
	for i := 2; i < len(reply); i += 3 {
		is, err := n.parseOffset(reply[i], reply[i+1], reply[i+2])
		if err != nil {
			return o, fmt.Errorf("read offsets: %w", err)
		}
		o.of = append(o.of, is)
	}
	return o, nil
}

// parseProducers reads a hash of "attempt sequence time" by producer.
func (n *Node) parseProducers(reply any) map[string]int64 {
	list, _ := reply.([]any)
	all := make(map[string]int64, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		value, _ := list[i+1].(string)
		if f := strings.Fields(value); len(f) == 3 {
			all[n.names.of([]byte(name))], _ = parseInt([]byte(f[1]))
		}
	}
	return all
}

// parseOffset reads an epoch, an offset, and the beginning of the last entry.
func (n *Node) parseOffset(epoch, last, entry any) (o offset, err error) {
	text, _ := epoch.(string)
	if o.at.Epoch, err = parseInt([]byte(text)); err != nil {
		return o, err
	}
	o.at.Offset, _ = last.(int64)
	if text, _ = entry.(string); text == "" {
		return o, nil
	}
	if id, _, err := field([]byte(text)); err == nil {
		o.producer, o.number, err = n.parseID(id)
		if err == nil {
			return o, nil
		}
	}
	n.garbage.Add(1) // no node could have written it: nothing is known of the event
	return o, nil
}

// page is a part of a log.
type page struct {
	tip    broker.Position // of the whole log
	first  int64           // the offset of the oldest event in the log
	events []event
}

// pageEvents is how many events are read of a log at a time.
const pageEvents = 256

// replay reads the events of a topic that follow one. There are more if the last
// is not the tip.
func (n *Node) replay(ctx context.Context, topic string, after offset, limit int) (p page, err error) {
	reply, err := n.scripts.replay.Run(ctx, n.state, []string{n.keys.channel(topic)},
		after.at.Epoch, after.at.Offset, after.id(), max(1, limit)).Slice()
	if err != nil {
		return p, fmt.Errorf("read the log of a topic: %w", err)
	}
	t, ok := parseTopic(topic)
	if len(reply) != 6 || !ok {
		return p, fmt.Errorf("read the log of a topic: %w", errEnvelope)
	}
	epoch, _ := reply[1].(string)
	if p.tip.Epoch, err = parseInt([]byte(epoch)); err != nil {
		return p, fmt.Errorf("read the log of a topic: %w", err)
	}
	p.tip.Offset, _ = reply[2].(int64)
	p.first, _ = reply[3].(int64)
	at := broker.Position{Epoch: p.tip.Epoch}
	at.Offset, _ = reply[4].(int64)
	entries, _ := reply[5].([]any)
	for _, v := range entries {
		text, _ := v.(string)
		e, rest, err := n.parseEntry(t, at, []byte(text))
		if err != nil || len(rest) > 0 { // no node could have written it: its place is passed over
			n.garbage.Add(1)
			e = event{at: at}
		}
		p.events = append(p.events, e)
		at.Offset++
	}
	return p, nil
}

// more reports whether there is more in the log than p has.
func (p *page) more() bool {
	return len(p.events) > 0 && p.events[len(p.events)-1].at.Offset < p.tip.Offset
}

// logLasts is how long a log lasts that nobody appends to: for longer than it has
// to, so that it need not be told so with each event.
func logLasts(r broker.Retention) time.Duration { return 2 * r.For }
