package webhook

import "sync/atomic"

// Receipt is how whoever has an event told hears what became of it, so that another
// server can tell it if this one does not. Its methods may be called concurrently,
// and do not block.
type Receipt interface {
	// Settled is called once, when every URL that wants the event has taken it, or
	// has been given up, or when none wants it. An event that is left to another
	// server is never settled.
	Settled()

	// Void reports whether another server tells the event by now, so that this one
	// must not. Once it does, it always will.
	Void() bool
}

// share is a receipt that the URLs of an event have together: the last of them
// settles it. A nil share is that of an event that no other server could tell.
type share struct {
	receipt Receipt
	open    atomic.Int32
}

// newShare returns a share that one has, who gives others theirs.
func newShare(r Receipt) *share {
	if r == nil {
		return nil
	}
	s := &share{receipt: r}
	s.open.Store(1)
	return s
}

func (s *share) add() {
	if s != nil {
		s.open.Add(1)
	}
}

func (s *share) settle() {
	if s != nil && s.open.Add(-1) == 0 {
		s.receipt.Settled()
	}
}

func (s *share) void() bool { return s != nil && s.receipt.Void() }
