// Package occupancytest checks that an occupancy.Tracker keeps its promises.
// Every implementation runs it.
package occupancytest

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
)

// Open returns a tracker that nobody has started, and how to let time pass.
type Open func(t *testing.T) (tracker occupancy.Tracker, pass func(time.Duration))

// Run runs every check, each in a bubble of its own; for an implementation that
// needs the real time, bubble is what calls its function.
func Run(t *testing.T, bubble func(*testing.T, func(*testing.T)), open Open) {
	for _, check := range []struct {
		name string
		run  func(*check)
	}{
		{"the first and the last are told", firstAndLast},
		{"of several subscriptions, only the first and the last", several},
		{"who is back within the grace was never gone", shortAbsence},
		{"a hundred short absences are as none", manyShortAbsences},
		{"who is back after the grace has come again", longAbsence},
		{"the grace begins anew each time", graceBeginsAnew},
		{"users are told apart from their channel, and in order", users},
		{"one user goes, another stays", oneGoes},
		{"topics are apart", apart},
		{"who never came does not leave", nobody},
		{"a flush tells of those who have left, once", flush},
		{"of misses at a time the first is told", misses},
		{"whoever races, it adds up", race},
	} {
		t.Run(check.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				c := newCheck(t, open)
				check.run(c)
				c.wantNothing()
			})
		})
	}
}

var topic = channel.Topic{App: "app", Channel: "presence-a"}

type check struct {
	*testing.T
	tracker occupancy.Tracker
	pass    func(time.Duration)

	mu   sync.Mutex // guards what follows
	told []string
}

func newCheck(t *testing.T, open Open) *check {
	tracker, pass := open(t)
	c := &check{T: t, tracker: tracker, pass: pass}
	tracker.Start(func(change occupancy.Change) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told = append(c.told, text(change))
	})
	return c
}

// text is a change in short: "+presence-a", "-presence-a/amy".
func text(c occupancy.Change) string {
	s := c.Channel
	if c.App != topic.App {
		s = c.App + ":" + s
	}
	if c.UserID != "" {
		s += "/" + c.UserID
	}
	if c.Came {
		return "+" + s
	}
	return "-" + s
}

func (c *check) join(user string) {
	c.Helper()
	if err := c.tracker.Join(c.Context(), topic, user); err != nil {
		c.Error(err)
	}
}

func (c *check) leave(user string) {
	c.Helper()
	if err := c.tracker.Leave(c.Context(), topic, user); err != nil {
		c.Error(err)
	}
}

// want takes what was told.
func (c *check) want(told string) {
	c.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if got := strings.Join(c.told, " "); got != told {
		c.Errorf("told %q, want %q", got, told)
	}
	c.told = nil
}

// wantNothing checks that nothing is told anymore, however long one waits.
func (c *check) wantNothing() {
	c.Helper()
	c.pass(3 * occupancy.DefaultGrace)
	c.want("")
}

const moment = 100 * time.Millisecond

func firstAndLast(c *check) {
	c.join("")
	c.want("+presence-a")
	c.leave("")
	c.pass(occupancy.DefaultGrace - moment)
	c.want("")
	c.pass(2 * moment)
	c.want("-presence-a")
}

func several(c *check) {
	c.join("")
	c.join("")
	c.join("")
	c.want("+presence-a")
	c.leave("")
	c.leave("")
	c.pass(2 * occupancy.DefaultGrace)
	c.want("")
	c.leave("")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("-presence-a")
}

func shortAbsence(c *check) {
	c.join("amy")
	c.want("+presence-a +presence-a/amy")
	c.leave("amy")
	c.pass(occupancy.DefaultGrace - moment)
	c.join("amy")
	c.wantNothing()
}

func manyShortAbsences(c *check) {
	c.join("amy")
	c.want("+presence-a +presence-a/amy")
	for range 100 {
		c.leave("amy")
		c.pass(moment)
		c.join("amy")
	}
	c.wantNothing()
	c.leave("amy")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("-presence-a/amy -presence-a")
}

func longAbsence(c *check) {
	c.join("")
	c.leave("")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("+presence-a -presence-a")
	c.join("")
	c.want("+presence-a")
}

func graceBeginsAnew(c *check) {
	c.join("")
	c.leave("")
	c.pass(occupancy.DefaultGrace / 2)
	c.join("")
	c.leave("")
	c.want("+presence-a")
	c.pass(occupancy.DefaultGrace - moment)
	c.want("")
	c.pass(2 * moment)
	c.want("-presence-a")
}

func users(c *check) {
	c.join("amy")
	c.join("amy")
	c.join("bob")
	c.want("+presence-a +presence-a/amy +presence-a/bob")
	c.leave("bob")
	c.leave("amy")
	c.leave("amy")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("-presence-a/bob -presence-a/amy -presence-a")
}

func oneGoes(c *check) {
	c.join("amy")
	c.join("bob")
	c.want("+presence-a +presence-a/amy +presence-a/bob")
	c.leave("amy")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("-presence-a/amy")
}

func apart(c *check) {
	for _, other := range []channel.Topic{topic, {App: "other", Channel: topic.Channel}, {App: topic.App, Channel: "presence-b"}} {
		if err := c.tracker.Join(c.Context(), other, "amy"); err != nil {
			c.Error(err)
		}
	}
	c.want("+presence-a +presence-a/amy +other:presence-a +other:presence-a/amy +presence-b +presence-b/amy")
	c.leave("amy")
	c.pass(occupancy.DefaultGrace + moment)
	c.want("-presence-a/amy -presence-a")
}

func nobody(c *check) {
	c.leave("amy")
	c.wantNothing()
	c.join("amy")
	c.want("+presence-a +presence-a/amy")
}

func flush(c *check) {
	c.join("amy")
	c.join("bob")
	c.leave("amy")
	c.want("+presence-a +presence-a/amy +presence-a/bob")
	if err := c.tracker.Flush(c.Context()); err != nil {
		c.Error(err)
	}
	c.want("-presence-a/amy")
	c.wantNothing()
	c.leave("bob")
	if err := c.tracker.Flush(c.Context()); err != nil {
		c.Error(err)
	}
	c.want("-presence-a/bob -presence-a")
}

func misses(c *check) {
	missed := func() bool {
		c.Helper()
		first, err := c.tracker.Missed(c.Context(), topic)
		if err != nil {
			c.Error(err)
		}
		return first
	}
	if !missed() || missed() || missed() {
		c.Error("of three misses not the first alone is worth telling")
	}
	c.pass(occupancy.DefaultGrace + moment)
	if !missed() {
		c.Error("a miss much later is not worth telling")
	}
	c.wantNothing()
}

func race(c *check) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				c.join(fmt.Sprint(i % 2))
				c.leave(fmt.Sprint(i % 2))
			}
		})
	}
	wg.Wait()
	c.pass(occupancy.DefaultGrace + moment)
	c.mu.Lock()
	defer c.mu.Unlock()
	count := map[string]int{}
	for _, s := range c.told {
		count[s]++
	}
	for _, s := range []string{"presence-a", "presence-a/0", "presence-a/1"} {
		if count["+"+s] != 1 || count["-"+s] != 1 {
			c.Errorf("%s came %d times and went %d times, want once", s, count["+"+s], count["-"+s])
		}
	}
	c.told = nil
}
