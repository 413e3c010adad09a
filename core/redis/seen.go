package redis

import "math"

// seen knows which events of a topic this node has had, by who has published them
// and the numbers that they have there. Of each publisher they grow, with gaps
// where it has published elsewhere. An offset does not tell as much: after a
// failover another event may have the one that this node knows.
type seen struct {
	before map[string]int64 // by producer, the last that came before the node listened; shared
	since  []window         // who has published last comes first
}

// window is what has come of one producer: nothing after last, all that is older
// than 64 numbers, and in between what has its bit.
type window struct {
	producer string
	last     int64
	bits     uint64 // bit i is that last-i has come
}

// most producers are remembered; there are as many as nodes.
const maxProducers = 64

// has reports whether an event has come.
func (s *seen) has(producer string, number int64) bool {
	for i := range s.since {
		if s.since[i].producer == producer {
			return s.since[i].has(number)
		}
	}
	return number <= s.before[producer]
}

func (w *window) has(number int64) bool {
	back := w.last - number
	return back >= 64 || back >= 0 && w.bits&(1<<back) != 0
}

// add notes that an event has come.
func (s *seen) add(producer string, number int64) {
	for i := range s.since {
		if s.since[i].producer != producer {
			continue
		}
		s.since[i].add(number)
		if i > 0 {
			w := s.since[i]
			copy(s.since[1:i+1], s.since[:i])
			s.since[0] = w
		}
		return
	}
	w := window{producer: producer, last: s.before[producer], bits: math.MaxUint64}
	w.add(number)
	if len(s.since) >= maxProducers {
		s.since = s.since[:maxProducers-1]
	}
	s.since = append(s.since, window{})
	copy(s.since[1:], s.since)
	s.since[0] = w
}

func (w *window) add(number int64) {
	if ahead := number - w.last; ahead > 0 {
		w.last = number
		w.bits = w.bits<<ahead | 1 // a shift by 64 or more leaves nothing
		return
	}
	if back := w.last - number; back < 64 {
		w.bits |= 1 << back
	}
}
