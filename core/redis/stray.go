package redis

import "time"

const (
	strayHold  = 150 * time.Millisecond // for which a stray event waits to come in its order
	strayAgain = 20 * time.Millisecond
	mostStrays = 1024 // of a topic
)

// stray takes an event that was heard on a connection that has been replaced. Nearly
// all are in the log, too, or come on the new connection. Others were published on
// an old master, after it was replaced and before all nodes knew: they were
// accepted, and the new master does not have them. They are delivered if they come
// soon, before anything that is published on the new one. It is called with mu held.
func (t *tail) stray(e event) {
	if t.seen.has(e.producer, e.number) || len(t.strays) >= mostStrays || !t.node.masters.strays() {
		return
	}
	if t.strays = append(t.strays, e); len(t.strays) == 1 {
		time.AfterFunc(strayHold, t.giveStrays)
	}
}

// unlogged takes an event that was heard and is not in the log, since it was trimmed
// from it meanwhile, or another server has taken over. A Redis Cluster accepts
// nothing that the next server does not have, but for what it loses with the last
// one. It is called with mu held.
func (t *tail) unlogged(e event) {
	if !t.node.keys.sharded() && !t.give(e) {
		t.wait(e)
		t.catchUp()
	}
}

func (t *tail) giveStrays() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || !t.known {
		t.strays = nil
		return
	}
	strays := t.strays
	t.strays = nil
	for i, e := range strays {
		if !t.give(e) {
			t.strays = strays[i:]
			time.AfterFunc(strayAgain, t.giveStrays)
			return
		}
	}
}
