package redis

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/occupancy"
)

// How many entries a node has in its hands. What is more than that waits in Redis, so
// a backend that is away for long fills no memory of ours. An app has a share of its
// own: behind one whose backend is away those of the others are read on, and when it
// answers again, or its events are too old, the rest of its own are read where that
// was left off. Only when many apps have used up their share do all wait, until an
// event of one of them is settled, which takes webhooks.retry_for at the longest.
const (
	mostHeld   = 40_000
	mostOfApp  = 4_000
	enoughFree = 2 // part of the share that must be free before more is read
)

// entry is an entry of an outbox that this node has read. It is the receipt of its
// change.
type entry struct {
	all    *entries
	tenure *tenure
	id     string
	app    string
	change occupancy.Change

	told, settled bool // guarded by all.mu
}

// Settled implements occupancy.Receipt.
func (e *entry) Settled() { e.all.settle(e) }

// Void implements occupancy.Receipt. What was told by this node in an earlier tenure
// need not be told again.
func (e *entry) Void() bool {
	if e.tenure.over() {
		return true
	}
	e.all.mu.Lock()
	defer e.all.mu.Unlock()
	return e.settled
}

// line is how far the entries of an app have been read.
type line struct {
	open int    // that are told and not settled
	from string // where to go on, in the words of XRANGE, if that is not where all others are read
}

// entries are those of an outbox that this node has in its hands.
type entries struct {
	// Static after construction.
	most, share int    // at all, and of an app
	changed     func() // called when an entry is settled

	mu     sync.Mutex // guards what follows
	tenure *tenure    // nil while another node is the holder
	known  map[string]*entry
	lines  map[string]*line
	acks   []string        // settled, which Redis does not know yet
	late   map[string]bool // settled when it was for another node to say so
}

func newEntries(partitions int, changed func()) *entries {
	return &entries{
		most: max(1, mostHeld/partitions), share: max(1, mostOfApp/partitions), changed: changed,
		known: map[string]*entry{}, lines: map[string]*line{}, late: map[string]bool{},
	}
}

// hold makes the tenure last until then, and begins one if there is none.
func (s *entries) hold(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenure == nil {
		s.tenure = newTenure()
	}
	s.tenure.extend(until)
}

// end ends the tenure, and returns how many entries are another node's now. What is
// settled and Redis does not know is remembered, for the case that there is no other.
func (s *entries) end() (open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tenure == nil {
		return 0
	}
	s.tenure.end()
	s.tenure = nil
	for _, id := range s.acks {
		s.late[id] = true
	}
	open = len(s.known) - len(s.acks)
	s.acks = nil
	clear(s.known)
	clear(s.lines)
	return open
}

// holds reports whether this node is the holder.
func (s *entries) holds() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tenure != nil && !s.tenure.over()
}

func (s *entries) room() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(0, s.most-len(s.known))
}

// settle notes that nothing is left to do for e. If it was read again since, in
// another tenure, that is settled, too.
func (s *entries) settle(e *entry) {
	s.mu.Lock()
	switch again := s.known[e.id]; {
	case again != nil:
		s.ack(again)
	case e.tenure != s.tenure:
		s.late[e.id] = true
	}
	s.mu.Unlock()
	s.changed()
}

// ack is called with mu held.
func (s *entries) ack(e *entry) {
	if e.settled {
		return
	}
	e.settled = true
	s.acks = append(s.acks, e.id)
	if l := s.lines[e.app]; e.told && l != nil {
		if l.open--; l.open == 0 && l.from == "" {
			delete(s.lines, e.app)
		}
	}
}

// unacked returns some of what Redis does not know to be settled.
func (s *entries) unacked(most int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks[:min(most, len(s.acks)):min(most, len(s.acks))]
}

// acked notes that Redis knows of the first of those.
func (s *entries) acked(ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.known, id)
	}
	if s.acks = s.acks[len(ids):]; len(s.acks) == 0 {
		s.acks = nil
	}
}

// behind returns an app of which more can be read, and from where.
func (s *entries) behind() (app, from string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for app, l := range s.lines {
		if l.from != "" && l.open <= s.share/enoughFree {
			return app, l.from
		}
	}
	return "", ""
}

// again has all be read from the beginning; what is known stays so.
func (s *entries) again() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lines {
		l.from = ""
	}
}

// add returns those of what was read that are to be told.
func (s *entries) add(read []raw) (tell []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sort(read)
}

// addOf is add for what was read of an app that was behind, up to last, or to where
// the others are if last is "".
func (s *entries) addOf(app string, read []raw, last string) (tell []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[app]
	l.from = ""
	tell = s.sort(read)
	switch {
	case l.from == "" && last != "":
		l.from = "(" + last
	case l.from == "" && l.open == 0:
		delete(s.lines, app)
	}
	return tell
}

// sort is called with mu held. What is nobody's concern is settled.
func (s *entries) sort(read []raw) (tell []*entry) {
	for _, r := range read {
		if s.known[r.id] != nil {
			continue
		}
		e := r.entry()
		e.all, e.tenure = s, s.tenure
		if e.app == "" || s.late[r.id] {
			delete(s.late, r.id)
			s.known[r.id] = e
			s.ack(e)
			continue
		}
		l := s.lines[e.app]
		if l == nil {
			l = new(line)
			s.lines[e.app] = l
		}
		switch {
		case l.from != "": // those before it come first
		case l.open >= s.share:
			l.from = r.id
		default:
			l.open++
			e.told = true
			s.known[r.id] = e
			tell = append(tell, e)
		}
	}
	return tell
}

// caughtUp is called when all that there is has been read once.
func (s *entries) caughtUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.late)
}

// idle reports whether there is nothing in the node's hands.
func (s *entries) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.known) == 0
}

// raw is an entry as Redis has it.
type raw struct {
	id, kind, topic, user string
	age                   time.Duration // by Redis's clock
}

// entry returns what r says. It is of no app if nobody is to be told.
func (r raw) entry() *entry {
	t, ok := parseTopic(r.topic)
	came, known := kinds[r.kind]
	e := &entry{id: r.id, change: occupancy.Change{Topic: t, UserID: r.user, Came: came, At: r.at()}}
	if ok && known && !channel.Reserved(t.Channel) {
		e.app = t.App
	}
	return e
}

// kinds are what scripts write, and whether somebody has come.
var kinds = map[string]bool{"occupied": true, "added": true, "vacated": false, "removed": false}

// sameClock is by how much the clocks of a node and of Redis may differ to be taken
// for one.
const sameClock = time.Second

// at is when r was written, by the clock of Redis: so backends that are told twice,
// by two nodes, are told the same time. If that clock is wrong, or ours is, it is by
// ours: nothing is to be too old for that.
func (r raw) at() time.Time {
	ours := time.Now().Add(-r.age)
	if at := time.UnixMilli(written(r.id)); at.Sub(ours).Abs() < sameClock {
		return at
	}
	return ours
}

// written is when an entry was written, in milliseconds.
func written(id string) int64 {
	ms, _, _ := strings.Cut(id, "-")
	at, _ := strconv.ParseInt(ms, 10, 64) // 0 if it is no number: no ID of Redis
	return at
}
