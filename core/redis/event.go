package redis

import (
	"bytes"
	"strconv"
	"sync"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// event is what was published on a topic, as it was heard or read from the log.
type event struct {
	at       broker.Position // the zero Position if it was heard without: then it is the next
	producer string          // of the node that published it
	number   int64           // that it has there
	time     int64           // when it was published, in milliseconds of Redis's clock
	stale    bool            // it was heard on a connection that has been replaced
	message  broker.Message
}

// size is about how much memory an event takes that waits.
func (e *event) size() int { return 128 + len(e.message.Frame.Payload()) }

// offset is where the log is with this event as its last.
func (e *event) offset() offset { return offset{e.at, e.producer, e.number} }

// appendEntry writes an event as logs keep it: id, time, except, payload. Of a
// cache channel the script adds "v" and the version.
func appendEntry(b []byte, id string, ms int64, except string, payload []byte) []byte {
	b = appendField(b, id)
	b = appendField(b, strconv.FormatInt(ms, 10))
	return appendField(appendField(b, except), payload)
}

// parseEvents reads what is published on a topic: an entry, or several with the
// position of the first.
func (n *Node) parseEvents(topic string, b []byte) (all []event, err error) {
	var at broker.Position
	if b[0] == kindNumbered {
		epoch, rest, _ := bytes.Cut(b[1:], []byte{';'})
		offset, rest, ok := bytes.Cut(rest, []byte{';'})
		if !ok {
			return nil, errEnvelope
		}
		if at.Epoch, err = parseInt(epoch); err != nil {
			return nil, err
		}
		if at.Offset, err = parseInt(offset); err != nil {
			return nil, err
		}
		b = rest
	}
	t, ok := parseTopic(topic)
	if !ok {
		return nil, errEnvelope
	}
	all = make([]event, 0, 1)
	for len(b) > 0 {
		var e event
		if e, b, err = n.parseEntry(t, at, b); err != nil {
			return nil, err
		}
		all = append(all, e)
		if at.Offset > 0 {
			at.Offset++
		}
	}
	return all, nil
}

// parseEntry reads an event that appendEntry has written, and what follows it.
func (n *Node) parseEntry(t channel.Topic, at broker.Position, b []byte) (e event, rest []byte, err error) {
	var f [4][]byte
	for i := range f {
		if f[i], b, err = field(b); err != nil {
			return e, nil, err
		}
	}
	e.at = at
	if e.producer, e.number, err = n.parseID(f[0]); err != nil {
		return e, nil, err
	}
	if e.time, err = parseInt(f[1]); err != nil {
		return e, nil, err
	}
	e.message = broker.Message{Topic: t, Frame: frame.Text(f[3]), Except: string(f[2]), Position: at}
	if len(b) > 0 && b[0] == 'v' {
		e.message.Version, err = parseInt(b[1:])
		b = nil
	}
	return e, b, err
}

// eventID names an event in the log. Numbers are from 1 on.
func eventID(producer string, number int64) string {
	return producer + "." + strconv.FormatInt(number, 10)
}

func (n *Node) parseID(b []byte) (producer string, number int64, err error) {
	name, digits, ok := bytes.Cut(b, []byte{'.'})
	if number, err = parseInt(digits); err != nil || !ok || number == 0 {
		return "", 0, errEnvelope
	}
	return n.names.of(name), number, nil
}

func parseInt(b []byte) (int64, error) {
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil || n < 0 {
		return 0, errEnvelope
	}
	return n, nil
}

// interned are strings of which there are few, so that each is kept once.
type interned struct {
	mu  sync.RWMutex // guards what follows
	all map[string]string
}

// mostInterned are kept; more are those of nodes that are long gone.
const mostInterned = 1024

func (in *interned) of(b []byte) string {
	in.mu.RLock()
	s, ok := in.all[string(b)]
	in.mu.RUnlock()
	if ok {
		return s
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.all == nil || len(in.all) >= mostInterned {
		in.all = map[string]string{}
	}
	s = string(b)
	in.all[s] = s
	return s
}
