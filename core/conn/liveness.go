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

// Check does what is due at now for a client that may have gone silent, or that
// the app's backend has not vouched for, and returns when it wants to be called
// again; 0 is never.
func (c *Conn) Check(now time.Duration) (next time.Duration) {
	if c.session.Ended() {
		return 0
	}
	authorization := c.checkAuthorized(now)
	if c.session.Ended() {
		return 0
	}
	silence := c.checkSilent(now)
	if authorization == 0 || silence == 0 {
		return max(authorization, silence)
	}
	return min(authorization, silence)
}

// behind is how far the clock of Check may have been behind when the connection
// was opened. For a client that is about to be pinged it does not matter; one
// that is ended must have had all the time that it was promised.
const behind = time.Second

// checkAuthorized ends a connection that is not authorized within the app's
// AuthorizationTimeout, if the app wants them all to be.
func (c *Conn) checkAuthorized(now time.Duration) (next time.Duration) {
	a := c.session.App
	if !a.AuthorizedConnectionsOnly || c.session.Authorized() {
		return 0
	}
	if due := c.opened + a.AuthorizationTimeout + behind; now < due {
		return due
	}
	c.session.Fail(protocol.ErrNotAuthorized)
	return 0
}

// checkSilent pings after the app's PingInterval of silence. If nothing comes
// within the PongTimeout, it ends the connection.
//
// The ping is a control frame, which every client answers without being asked
// to; a pusher:ping message would be ignored by the native ones.
func (c *Conn) checkSilent(now time.Duration) (next time.Duration) {
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
