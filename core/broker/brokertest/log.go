package brokertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// Logged is a broker that keeps what was published.
type Logged interface {
	broker.Broker
	broker.Log
}

// plenty is more than a check publishes.
var plenty = broker.Retention{For: time.Minute, Events: 10_000, Bytes: 8 << 20}

// slack is how many messages more than its bound a log may have: it need not be
// trimmed for each.
const slack = 256

// RunLog runs every check of a log, each on a broker of its own from open, which
// keeps as much as it is told.
func RunLog(t *testing.T, open func(*testing.T, broker.Retention) Logged) {
	t.Run("counts from one", func(t *testing.T) {
		b, got := started(t, open(t, plenty))
		subscribe(t, b, topic)
		begin := tip(t, b, topic)
		for i := range 3 {
			publish(t, b, topic, fmt.Sprint(i))
		}
		for i := range 3 {
			m := want(t, got, fmt.Sprint(i))
			if at := m.Position; at.Epoch != begin.Epoch || at.Offset != begin.Offset+int64(i)+1 {
				t.Errorf("message %d is at %+v, after %+v", i, at, begin)
			}
		}
		if at := tip(t, b, topic); at.Epoch != begin.Epoch || at.Offset != begin.Offset+3 {
			t.Errorf("the tip is %+v, want 3 after %+v", at, begin)
		}
	})
	t.Run("reads what follows a position", func(t *testing.T) {
		b, _ := started(t, open(t, plenty))
		subscribe(t, b, topic)
		begin := tip(t, b, topic)
		for i := range 10 {
			publish(t, b, topic, fmt.Sprint(i))
		}
		for after := range 11 {
			p := read(t, b, broker.Position{Epoch: begin.Epoch, Offset: begin.Offset + int64(after)}, 100)
			wantPage(t, p, begin, after, 10)
			if !p.Complete || p.Missing != 0 {
				t.Errorf("after %d: complete %v, missing %d", after, p.Complete, p.Missing)
			}
		}
	})
	t.Run("pages while others append", pages(open))
	t.Run("keeps the order of many publishers", manyPublishers(open))
	t.Run("carries the excepted socket", func(t *testing.T) {
		b, _ := started(t, open(t, plenty))
		subscribe(t, b, topic)
		m := broker.Message{Topic: topic, Frame: frame.Text([]byte("1")), Except: "1.1"}
		if err := b.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if p := read(t, b, broker.Position{}, 10); len(p.Messages) != 1 || p.Messages[0].Except != "1.1" {
			t.Errorf("got %+v", p)
		}
	})
	t.Run("keeps topics apart", func(t *testing.T) {
		b, _ := started(t, open(t, plenty))
		other := channel.Topic{App: topic.App, Channel: "private-b"}
		for _, each := range []channel.Topic{topic, other} {
			subscribe(t, b, each)
			publish(t, b, each, each.Channel)
		}
		for _, each := range []channel.Topic{topic, other} {
			p, err := b.Read(t.Context(), each, broker.Position{}, 10)
			if err != nil || len(p.Messages) != 1 || string(p.Messages[0].Frame.Payload()) != each.Channel {
				t.Errorf("%s has %+v, %v", each.Channel, p, err)
			}
		}
	})
	t.Run("is trimmed by events", func(t *testing.T) {
		const most = 100
		trimmed(t, open(t, broker.Retention{For: time.Minute, Events: most, Bytes: 8 << 20}), 10, most)
	})
	t.Run("is trimmed by bytes", func(t *testing.T) {
		const size, most = 1000, 100
		trimmed(t, open(t, broker.Retention{For: time.Minute, Events: 1 << 20, Bytes: most * size}), size, most)
	})
	t.Run("is trimmed by age", func(t *testing.T) {
		b, got := started(t, open(t, broker.Retention{For: time.Second, Events: 1 << 20, Bytes: 8 << 20}))
		subscribe(t, b, topic)
		publish(t, b, topic, "old")
		go func() {
			for range got { // so that nobody waits for who hears it
			}
		}()
		begin := broker.Position{Epoch: tip(t, b, topic).Epoch}
		eventually(t, "the old message is gone", func() bool {
			for range slack {
				publish(t, b, topic, "new")
			}
			p := read(t, b, begin, 1)
			return !p.Complete && (p.Tip.Epoch != begin.Epoch || p.Missing > 0)
		})
	})
	t.Run("says that another epoch is not complete", func(t *testing.T) {
		b, _ := started(t, open(t, plenty))
		subscribe(t, b, topic)
		publish(t, b, topic, "1")
		at := tip(t, b, topic)
		for name, after := range map[string]broker.Position{
			"another epoch": {Epoch: at.Epoch - 1, Offset: 1}, "an offset that is ahead": {Epoch: at.Epoch, Offset: at.Offset + 1},
		} {
			if p := read(t, b, after, 10); p.Complete || p.Tip != at {
				t.Errorf("%s: got %+v", name, p)
			}
		}
	})
}

func started(t *testing.T, b Logged) (Logged, <-chan broker.Message) {
	t.Helper()
	_, got := start(t, b)
	return b, got
}

func tip(t *testing.T, b Logged, topic channel.Topic) broker.Position {
	t.Helper()
	at, err := b.Tip(t.Context(), topic)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func read(t *testing.T, b Logged, after broker.Position, limit int) broker.Page {
	t.Helper()
	p, err := b.Read(t.Context(), topic, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantPage wants the messages from one to another, of those that are numbers.
func wantPage(t *testing.T, p broker.Page, begin broker.Position, from, to int) {
	t.Helper()
	if len(p.Messages) != to-from {
		t.Fatalf("%d messages after %d, want %d", len(p.Messages), from, to-from)
	}
	for i, m := range p.Messages {
		if got := string(m.Frame.Payload()); got != fmt.Sprint(from+i) {
			t.Errorf("message %d after %d is %s", i, from, got)
		}
		if want := (broker.Position{Epoch: begin.Epoch, Offset: begin.Offset + int64(from+i) + 1}); m.Position != want {
			t.Errorf("message %d after %d is at %+v, want %+v", i, from, m.Position, want)
		}
	}
}

func pages(open func(*testing.T, broker.Retention) Logged) func(*testing.T) {
	return func(t *testing.T) {
		const most = 500
		b, _ := started(t, open(t, plenty))
		subscribe(t, b, topic)
		at := tip(t, b, topic)
		var done sync.WaitGroup
		done.Go(func() {
			for i := range most {
				if err := publishContext(t.Context(), b, fmt.Sprint(i)); err != nil {
					t.Error(err)
				}
			}
		})
		defer done.Wait()
		for next := 0; next < most; {
			p := read(t, b, at, 7)
			if len(p.Messages) > 7 || !p.Complete {
				t.Fatalf("got %d messages of at most 7, complete %v", len(p.Messages), p.Complete)
			}
			for _, m := range p.Messages {
				if got := string(m.Frame.Payload()); got != fmt.Sprint(next) {
					t.Fatalf("got %s, want %d", got, next)
				}
				at = m.Position
				next++
			}
		}
	}
}

func manyPublishers(open func(*testing.T, broker.Retention) Logged) func(*testing.T) {
	return func(t *testing.T) {
		const publishers, each = 8, 100
		b, got := started(t, open(t, plenty))
		subscribe(t, b, topic)
		var done sync.WaitGroup
		for i := range publishers {
			done.Go(func() {
				for j := range each {
					if err := publishContext(t.Context(), b, fmt.Sprint(i, " ", j)); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done.Wait()
		p := read(t, b, broker.Position{}, publishers*each)
		if len(p.Messages) != publishers*each {
			t.Fatalf("%d messages, want %d", len(p.Messages), publishers*each)
		}
		last := map[int]int{}
		for _, m := range p.Messages {
			want(t, got, string(m.Frame.Payload())) // as it was delivered
			var i, j int
			if _, err := fmt.Sscan(string(m.Frame.Payload()), &i, &j); err != nil || j != last[i] {
				t.Fatalf("got %s, want %d of it", m.Frame.Payload(), last[i])
			}
			last[i]++
		}
	}
}

// trimmed publishes messages until some must have been dropped, and wants the
// newest to be there.
func trimmed(t *testing.T, b Logged, size, most int) {
	t.Helper()
	started(t, b)
	subscribe(t, b, topic)
	begin := tip(t, b, topic)
	total := 2*most + 2*slack
	for i := range total {
		publish(t, b, topic, fmt.Sprintf("%0*d", size, i))
	}
	p := read(t, b, begin, total)
	if n := len(p.Messages); n < most/2 || n > most+slack {
		t.Errorf("%d messages are kept, want some %d", n, most)
	}
	if p.Complete || p.Missing != int64(total-len(p.Messages)) {
		t.Errorf("complete %v, missing %d, want %d", p.Complete, p.Missing, total-len(p.Messages))
	}
	newest := p.Messages[len(p.Messages)-1]
	if got := string(newest.Frame.Payload()); got != fmt.Sprintf("%0*d", size, total-1) || newest.Position != p.Tip {
		t.Errorf("the newest is %s at %+v, and the tip %+v", got, newest.Position, p.Tip)
	}
}

func publishContext(ctx context.Context, b broker.Broker, text string) error {
	for {
		err := b.Publish(ctx, broker.Message{Topic: topic, Frame: frame.Text([]byte(text))})
		if !errors.Is(err, channel.ErrOverloaded) {
			return err
		}
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); !is(); <-time.After(10 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("not in time: %s", what)
		}
	}
}
