package conn

import (
	"time"

	"github.com/revurb/revurb/core/protocol"
)

// Seen notes that something came from the client: a message or a control
// frame.
func (c *Conn) Seen(now time.Duration) {
	c.seen.Store(int64(now))
	if c.pinged.Load() != 0 {
		c.pinged.Store(0)
	}
}

// Check does what is due at now for a client that may have gone silent, and
// returns when it wants to be called again; 0 is never. After the app's
// PingInterval of silence it pings; if nothing comes within the PongTimeout it
// ends the connection.
//
// The ping is a control frame, which every client answers without being asked
// to; a pusher:ping message would be ignored by the native ones.
func (c *Conn) Check(now time.Duration) (next time.Duration) {
	if c.session.Ended() {
		return 0
	}
	a := c.session.App
	if a.PingInterval <= 0 {
		return 0
	}
	if pinged := time.Duration(c.pinged.Load()); pinged != 0 {
		if due := pinged + a.PongTimeout; now < due {
			return due
		}
		c.session.Fail(protocol.ErrPongTimeout)
		return 0
	}
	if due := time.Duration(c.seen.Load()) + a.PingInterval; now < due {
		return due
	}
	c.pinged.Store(int64(max(now, 1)))
	c.wire.Ping()
	return now + a.PongTimeout
}
