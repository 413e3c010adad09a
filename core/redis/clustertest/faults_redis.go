package clustertest

import (
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// redisFaults are those of a single Redis that nothing takes the place of.
var redisFaults = map[Fault]faulty{
	Hang: {func(c *cluster) func() {
		c.busy(part)
		s := c.place.masters()[0]
		s.Pause()
		c.lasts(3*time.Second, 20*time.Second)
		s.Resume()
		c.after()
		return nil
	}},
	Script: {func(c *cluster) func() {
		c.busy(part)
		wait := c.place.masters()[0].Busy(c.length(2*time.Second, 8*time.Second))
		wait()
		c.after()
		return nil
	}},
	Password: {func(c *cluster) func() {
		c.busy(part)
		c.passwords("another")
		c.lasts(time.Second, 8*time.Second)
		c.passwords(password)
		c.after()
		return nil
	}},
	Full: {func(c *cluster) func() {
		c.busy(part)
		lift := c.place.masters()[0].LimitClients()
		c.lasts(time.Second, 8*time.Second)
		lift()
		c.after()
		return nil
	}},
	Refusal: {func(c *cluster) func() {
		c.busy(part)
		s := c.place.masters()[0]
		refuse := (*redistest.Server).RequireReplicas // of which there are none
		if c.random.IntN(2) == 0 {
			refuse = (*redistest.Server).LimitMemory
		}
		refuse(s, 1)
		c.lasts(time.Second, 8*time.Second)
		refuse(s, 0)
		c.after()
		return nil
	}},
	Restart: {func(c *cluster) func() {
		c.busy(part)
		c.forget()
		s := c.place.masters()[0]
		c.risk(s.Kill)
		c.lasts(500*time.Millisecond, 5*time.Second)
		s.RestartEmpty()
		c.over()
		c.busyBetween(0, 2*time.Second)
		return nil
	}},
	Append: {func(c *cluster) func() {
		c.busy(part)
		s := c.place.masters()[0]
		s.Kill()
		c.lasts(500*time.Millisecond, 15*time.Second)
		s.Restart()
		c.after()
		return nil
	}},
	Flush: {func(c *cluster) func() {
		c.busy(part)
		c.forget()
		c.place.masters()[0].FlushAll()
		c.over()
		c.busyBetween(0, 2*time.Second)
		return nil
	}},
	Part: {func(c *cluster) func() {
		c.busy(part)
		c.forget()
		p := c.Parts[c.random.IntN(len(c.Parts))]
		keys, _ := c.store.keys(p, "*")
		if len(keys) > 0 {
			key := p + ":" + keys[c.random.IntN(len(keys))]
			c.tb.Logf("%q is deleted", key)
			_, _ = c.store.do(p, "DEL", key)
		}
		c.after()
		return nil
	}},
}

// passwords has all servers want another password.
func (c *cluster) passwords(password string) {
	for _, s := range c.place.servers() {
		s.SetPassword(password)
	}
}

// forget is called before Redis loses what it has.
func (c *cluster) forget() {
	c.outbox.forget()
	c.amnesia = true
}
