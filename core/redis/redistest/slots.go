package redistest

import (
	"errors"
	"fmt"
)

// MoveSlot moves a slot with all its keys to another master, while clients go
// on, as Redis's own tool does it.
func (c *Cluster) MoveSlot(slot int, to *Server) {
	c.tb.Helper()
	c.MoveSlots([]int{slot}, to)
}

// MoveSlots is [Cluster.MoveSlot] for several, one after the other. Those that
// to has already stay.
func (c *Cluster) MoveSlots(slots []int, to *Server) {
	c.tb.Helper()
	m := mover{c: c, to: to, conns: map[*Server]*Conn{}}
	defer m.close()
	before, err := c.slotMap(to)
	if err != nil {
		c.tb.Fatal(err)
	}
	for _, slot := range slots {
		if before[slot] == to {
			continue
		}
		if err := m.move(slot, before[slot]); err != nil {
			c.tb.Fatalf("moving slot %d to %s: %v", slot, to.Addr(), err)
		}
		before[slot] = to
	}
	if len(slots) > 0 {
		last := slots[len(slots)-1]
		c.wait("all know where the slots are", func() error {
			if owner, err := c.owner(last); err != nil || owner != to {
				return fmt.Errorf("the owner is not %s: %w", to.Addr(), err)
			}
			return nil
		})
	}
}

// A mover moves slots over connections that it keeps.
type mover struct {
	c     *Cluster
	to    *Server
	conns map[*Server]*Conn
}

func (m *mover) move(slot int, from *Server) error {
	if from == nil {
		return errors.New("nobody has it")
	}
	ids := m.c.ids
	if _, err := m.do(m.to, "CLUSTER", "SETSLOT", slot, "IMPORTING", ids[from]); err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	if _, err := m.do(from, "CLUSTER", "SETSLOT", slot, "MIGRATING", ids[m.to]); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	if err := m.keys(slot, from); err != nil {
		return fmt.Errorf("its keys: %w", err)
	}
	// First the new owner: a question that the old one passes on finds somebody.
	if _, err := m.do(m.to, "CLUSTER", "SETSLOT", slot, "NODE", ids[m.to]); err != nil {
		return fmt.Errorf("taking: %w", err)
	}
	if _, err := m.do(from, "CLUSTER", "SETSLOT", slot, "NODE", ids[m.to]); err != nil {
		return fmt.Errorf("giving: %w", err)
	}
	for _, s := range m.c.servers() {
		if s != m.to && s != from && !s.silent() {
			// A replica refuses: it learns of it from its master.
			_, _ = m.do(s, "CLUSTER", "SETSLOT", slot, "NODE", ids[m.to])
		}
	}
	return nil
}

// keys moves what is in a slot.
func (m *mover) keys(slot int, from *Server) error {
	for {
		v, err := m.do(from, "CLUSTER", "GETKEYSINSLOT", slot, 100)
		if err != nil {
			return err
		}
		keys, _ := v.([]any)
		if len(keys) == 0 {
			return nil
		}
		args := []any{"MIGRATE", "127.0.0.1", m.to.port, "", 0, 5000}
		if username, password := m.to.login(); username != "" {
			args = append(args, "AUTH2", username, password)
		} else if password != "" {
			args = append(args, "AUTH", password)
		}
		if _, err := m.do(from, append(append(args, "KEYS"), keys...)...); err != nil {
			return err
		}
	}
}

func (m *mover) do(s *Server, args ...any) (any, error) {
	if m.conns[s] == nil {
		c, err := s.dial()
		if err != nil {
			return nil, err
		}
		m.conns[s] = c
	}
	return m.conns[s].Do(args...)
}

func (m *mover) close() {
	for _, c := range m.conns {
		_ = c.Close()
	}
}
