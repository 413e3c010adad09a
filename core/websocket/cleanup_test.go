package websocket_test

import "testing"

// reset ends the connection as a process that is killed may: without a word,
// and with something unread.
func reset(c *client) {
	_ = c.tcp().SetLinger(0)
	_ = c.tcp().Close()
}

var _ testing.TB
