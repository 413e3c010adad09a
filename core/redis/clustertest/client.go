package clustertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync"

	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
)

// client is a virtual client. One goroutine at a time has it do things; what it
// is told comes from others.
type client struct {
	c       *cluster
	stays   bool // it does nothing but hear
	name    string
	user    string
	node    *node
	session *hub.Session
	in      map[string]int64 // channels that it is in -> the time at which it was

	mu     sync.Mutex // guards what follows
	views  map[string]*view
	was    map[string]bool // in these channels
	faults []string
	twice  int // events that it has heard twice
}

// view is what a client was told of one channel since it came.
type view struct {
	greeted bool
	again   bool // it is not the first on this connection
	members map[string]bool
	heard   []int64
	has     map[int64]bool // heard in this round
	had     map[int64]bool // heard in the one before
	floor   int64          // what began to be published before is older than both
	next    int64          // the floor of the next round
}

// begin has the client forget all, for it has a new connection.
func (c *client) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in, c.views, c.was = map[string]int64{}, map[string]*view{}, map[string]bool{}
}

// expect has the client begin anew with a channel.
func (c *client) expect(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.views[channel] = &view{again: c.was[channel], members: map[string]bool{}, has: map[int64]bool{}}
}

func (c *client) forget(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.views, channel)
	c.was[channel] = true
}

// Close implements hub.Peer.
func (c *client) Close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault("was closed: %d %s", code, reason)
}

// Send implements hub.Peer.
func (c *client) Send(f *frame.Frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for payload := range f.Payloads() {
		c.hear(payload)
	}
}

func (c *client) fault(format string, args ...any) {
	c.faults = append(c.faults, "client "+c.name+" of user "+c.user+" on node "+c.node.label+" "+fmt.Sprintf(format, args...))
}

func (c *client) hear(payload []byte) {
	var m struct{ Event, Channel, Data string }
	if err := json.Unmarshal(payload, &m); err != nil {
		c.fault("cannot read %s: %v", payload, err)
		return
	}
	if m.Event == protocol.EventError {
		return // it is told that Redis is away
	}
	v := c.views[m.Channel]
	if v == nil {
		return // it was on its way when the client left
	}
	if m.Event == protocol.EventSubscriptionSucceeded {
		v.greet(c, m.Channel, m.Data)
		return
	}
	switch {
	case !v.greeted && v.again:
		return // it was on its way when the client left, to come again
	case !v.greeted:
		c.fault("hears %s on %s before the greeting", m.Event, m.Channel)
		return
	}
	switch m.Event {
	case protocol.EventMemberAdded, protocol.EventMemberRemoved:
		var d struct {
			UserID string `json:"user_id"`
		}
		if err := json.Unmarshal([]byte(m.Data), &d); err != nil {
			c.fault("cannot read %s: %v", payload, err)
		}
		added := m.Event == protocol.EventMemberAdded
		if v.members[d.UserID] == added {
			c.fault("hears %s of %s on %s twice", m.Event, d.UserID, m.Channel)
		}
		if added {
			v.members[d.UserID] = true
		} else {
			delete(v.members, d.UserID)
			if !c.c.deadly(d.UserID) {
				c.fault("is told on %s that %s has gone, who has not", m.Channel, d.UserID)
			}
		}
	default:
		id, err := strconv.ParseInt(m.Data, 10, 64)
		if err != nil {
			c.fault("hears what nobody has said: %s", payload)
			return
		}
		if v.has[id] || v.had[id] || id < v.floor {
			c.twice++
			c.fault("hears event %d on %s twice", id, m.Channel)
		}
		v.has[id] = true
		v.heard = append(v.heard, id)
	}
}

func (v *view) greet(c *client, channel, data string) {
	if v.greeted {
		c.fault("is greeted twice on %s", channel)
	}
	v.greeted = true
	var d struct{ Presence struct{ IDs []string } }
	if err := json.Unmarshal([]byte(data), &d); err != nil {
		c.fault("cannot read the greeting %s: %v", data, err)
	}
	for _, id := range d.Presence.IDs {
		if v.members[id] {
			c.fault("finds %s twice in the greeting of %s", id, channel)
		}
		v.members[id] = true
	}
}

// members returns whom the client takes for members of a channel.
func (c *client) members(channel string) map[string]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v := c.views[channel]; v != nil {
		return maps.Clone(v.members)
	}
	return nil
}

// turn begins a round: what is heard again of the one before the last is so old
// that it must be known by its number.
func (c *client) turn(floor int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.views {
		v.floor = v.next
		v.next = floor
		v.had, v.has = v.has, map[int64]bool{}
	}
}

func (c *client) heard(channel string, id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := c.views[channel]
	return v != nil && v.has[id]
}
