package redistest

import (
	"errors"
	"fmt"
	"time"
)

// partner returns the other one of a master and its replica.
func (c *Cluster) partner(s *Server) *Server {
	c.tb.Helper()
	for i, replica := range c.Replicas {
		switch s {
		case replica:
			return c.Nodes[i]
		case c.Nodes[i]:
			return replica
		}
	}
	c.tb.Fatalf("%s has no replica", s.Addr())
	return nil
}

// Failover makes the replica of master take its place as an operator does on
// purpose, waits until all know it, and returns the new master.
func (c *Cluster) Failover(master *Server) *Server {
	c.tb.Helper()
	replica := c.partner(master)
	c.wait("a replica may be promoted", func() error { return follows(replica, master) })
	c.wait("a replica asks for its promotion", func() error {
		if c.promoted(replica) == nil {
			return nil
		}
		// A node forgets that it was asked if the master takes too long.
		if _, err := replica.Try("CLUSTER", "FAILOVER"); err != nil {
			return err
		}
		return c.soon(replica)
	})
	promoted := c.WaitPromoted(master)
	c.wait("the old master follows the new one", func() error { return follows(master, promoted) })
	return promoted
}

// soon waits a moment for a planned promotion.
func (c *Cluster) soon(replica *Server) error {
	return until(5*time.Second, func() error { return c.promoted(replica) })
}

// WaitPromoted waits until the partner of old, which may be dead or hang, is the
// master of its slots for all nodes that run, and every slot has a master.
func (c *Cluster) WaitPromoted(old *Server) *Server {
	c.tb.Helper()
	replica := c.partner(old)
	c.wait("another node is the master", func() error {
		if err := c.promoted(replica); err != nil {
			return err
		}
		for _, asked := range c.servers() {
			if asked.silent() {
				continue
			}
			if err := c.usable(asked); err != nil {
				return err
			}
			if err := c.without(asked, old); err != nil {
				return err
			}
		}
		return nil
	})
	return replica
}

// promoted returns nil if replica believes that it is a master with slots.
func (c *Cluster) promoted(replica *Server) error {
	m, err := c.slotMap(replica)
	if err != nil {
		return err
	}
	for _, owner := range m {
		if owner == replica {
			return nil
		}
	}
	return errors.New("the replica has no slot")
}

// without returns nil if asked gives no slot to old.
func (c *Cluster) without(asked, old *Server) error {
	m, err := c.slotMap(asked)
	if err != nil {
		return err
	}
	for slot, owner := range m {
		if owner == old {
			return fmt.Errorf("node %s gives slot %d to the old master", asked.Addr(), slot)
		}
	}
	return nil
}
