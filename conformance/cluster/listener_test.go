package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// A listener is a client that subscribes to all channels of a feed and notes
// what it hears.
type listener struct {
	node int
	name string
	conn *client.Conn
	done chan struct{}

	mu      sync.Mutex // guards what follows
	pending map[string]bool
	heard   map[string]time.Time // keys of events, when they came first
	again   map[string]int       // how often more than once
	order   map[string][]string  // keys by channel, as they came
	members []string             // member_added and member_removed, as they came
	ended   error
}

// listen connects to a node and returns when it has all subscriptions.
func listen(t *testing.T, node int, port, name string, channels []string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := client.Dial(ctx, "ws://127.0.0.1:"+port+"/app/main-key?protocol=7", nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{
		node: node, name: name, conn: conn, done: make(chan struct{}), pending: map[string]bool{},
		heard: map[string]time.Time{}, again: map[string]int{}, order: map[string][]string{},
	}
	for _, channel := range channels {
		l.pending[channel] = true
	}
	go l.read(channels)
	t.Cleanup(func() {
		_ = conn.Close()
		<-l.done
	})
	return l
}

// ready reports whether l has all its subscriptions.
func (l *listener) ready() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.pending) == 0
}

func (l *listener) read(channels []string) {
	defer close(l.done)
	for {
		f, err := l.conn.Read()
		switch {
		case err != nil:
		case f.Opcode == client.OpClose:
			err = fmt.Errorf("closed with %d %s", f.Code(), f.Reason())
		case f.Opcode == client.OpPing:
			err = l.conn.Write(client.Control(client.OpPong, string(f.Payload)))
		case f.Opcode == client.OpText:
			err = l.hear(f.Payload, channels)
		}
		if err != nil {
			l.mu.Lock()
			l.ended = err
			l.mu.Unlock()
			return
		}
	}
}

// message is what a server sends. Data is a string with JSON, or an event's own.
type message struct {
	Event   string          `json:"event"`
	Channel string          `json:"channel"`
	Data    json.RawMessage `json:"data"`
}

func (l *listener) hear(payload []byte, channels []string) error {
	var m message
	if err := json.Unmarshal(payload, &m); err != nil {
		return err
	}
	var data string
	if err := json.Unmarshal(m.Data, &data); err != nil {
		data = string(m.Data)
	}
	switch m.Event {
	case "pusher:connection_established":
		return l.subscribe(data, channels)
	case "pusher:ping":
		return l.conn.Write(client.Text(`{"event":"pusher:pong","data":{}}`))
	case "pusher:error", "pusher:subscription_error":
		return errors.New(string(payload))
	case "n":
		l.event(m.Channel, data)
	case "pusher_internal:subscription_succeeded":
		l.mu.Lock()
		delete(l.pending, m.Channel)
		l.mu.Unlock()
	case "pusher_internal:member_added", "pusher_internal:member_removed":
		l.mu.Lock()
		l.members = append(l.members, strings.TrimPrefix(m.Event, "pusher_internal:")+" "+data)
		l.mu.Unlock()
	}
	return nil
}

func (l *listener) event(channel, data string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	number, _, _ := strings.Cut(data, " ")
	key := channel + "/" + number
	if _, before := l.heard[key]; before {
		l.again[key]++
		return
	}
	l.heard[key] = time.Now()
	l.order[channel] = append(l.order[channel], key)
}

// subscribe asks for all channels, once it is known who asks.
func (l *listener) subscribe(established string, channels []string) error {
	var hello struct {
		SocketID string `json:"socket_id"`
	}
	if err := json.Unmarshal([]byte(established), &hello); err != nil {
		return err
	}
	for _, channel := range channels {
		data := map[string]string{"channel": channel}
		if strings.HasPrefix(channel, "presence-") {
			data["channel_data"] = fmt.Sprintf(`{"user_id":%q}`, l.name)
			data["auth"] = client.ChannelAuth("main-key", "main-secret", hello.SocketID, channel, data["channel_data"])
		}
		b, err := json.Marshal(map[string]any{"event": "pusher:subscribe", "data": data})
		if err != nil {
			return err
		}
		if err := l.conn.Write(client.Text(string(b))); err != nil {
			return err
		}
	}
	return nil
}

// whenHeard returns when an event came, or the zero time.
func (l *listener) whenHeard(key string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard[key]
}

// end returns why l was cut off; nil if it was not.
func (l *listener) end() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}
