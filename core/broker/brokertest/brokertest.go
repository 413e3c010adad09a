// Package brokertest checks that a broker.Broker keeps its promises, and RunLog
// that a broker.Log does. Every implementation runs both:
//
//	func TestBroker(t *testing.T) {
//		brokertest.Run(t, func(t *testing.T) broker.Broker { return new(broker.Memory) })
//	}
package brokertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

var topic = channel.Topic{App: "app", Channel: "private-a"}

// Run runs every check, each on a broker of its own from open.
func Run(t *testing.T, open func(t *testing.T) broker.Broker) {
	t.Run("delivers to subscribers", func(t *testing.T) {
		b, got := start(t, open(t))
		subscribe(t, b, topic)
		publish(t, b, topic, "1")
		want(t, got, "1")
	})
	t.Run("keeps order", func(t *testing.T) {
		b, got := start(t, open(t))
		subscribe(t, b, topic)
		for i := range 100 {
			publish(t, b, topic, fmt.Sprint(i))
		}
		for i := range 100 {
			want(t, got, fmt.Sprint(i))
		}
	})
	t.Run("keeps topics apart", func(t *testing.T) {
		b, got := start(t, open(t))
		subscribe(t, b, topic)
		publish(t, b, channel.Topic{App: "other", Channel: topic.Channel}, "no")
		publish(t, b, channel.Topic{App: topic.App, Channel: "private-b"}, "no")
		publish(t, b, topic, "yes")
		want(t, got, "yes")
	})
	t.Run("stops after unsubscribe", func(t *testing.T) {
		b, got := start(t, open(t))
		subscribe(t, b, topic)
		if err := b.Unsubscribe(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); ; {
			publish(t, b, topic, "late")
			if quiet(got) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("still subscribed after a minute")
			}
		}
	})
	t.Run("carries the excepted socket", func(t *testing.T) {
		b, got := start(t, open(t))
		subscribe(t, b, topic)
		m := broker.Message{Topic: topic, Frame: frame.Text([]byte("1")), Except: "1.1"}
		if err := b.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if m := want(t, got, "1"); m.Except != "1.1" {
			t.Errorf("except = %q, want 1.1", m.Except)
		}
	})
}

func start(t *testing.T, b broker.Broker) (broker.Broker, <-chan broker.Message) {
	t.Helper()
	got := make(chan broker.Message, 10_000)
	if err := b.Start(func(m broker.Message) error { got <- m; return nil }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b, got
}

func subscribe(t *testing.T, b broker.Broker, topic channel.Topic) {
	t.Helper()
	if err := b.Subscribe(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
}

func publish(t *testing.T, b broker.Broker, topic channel.Topic, text string) {
	t.Helper()
	if err := b.Publish(t.Context(), broker.Message{Topic: topic, Frame: frame.Text([]byte(text))}); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, got <-chan broker.Message, text string) broker.Message {
	t.Helper()
	select {
	case m := <-got:
		if string(m.Frame.Payload()) != text {
			t.Fatalf("frame = %q, want %q", m.Frame.Payload(), text)
		}
		return m
	case <-time.After(time.Minute):
		t.Fatalf("no message, want %q", text)
		return broker.Message{}
	}
}

// quiet reports whether nothing comes for a while.
func quiet(got <-chan broker.Message) bool {
	select {
	case <-got:
		return false
	case <-time.After(50 * time.Millisecond):
		return true
	}
}
