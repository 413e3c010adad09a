package kv

import (
	"container/heap"
	"math"
	"time"
)

// few is how many expired entries an operation frees beside what it is for. An
// operation adds one at most, so that what has expired goes sooner than it comes.
const few = 4

// tick returns the time since the start, and frees a few that have expired.
func (s *Store) tick() time.Duration {
	now := s.now().Sub(s.start)
	s.expire(now, few)
	return now
}

func (s *Store) find(key []byte, now time.Duration) *entry {
	e := s.entries[string(key)]
	if e == nil || e.until > now {
		return e
	}
	s.remove(e)
	return nil
}

func (s *Store) add(key, value []byte, now, ttl time.Duration) error {
	e := &entry{key: string(key), value: clone(value), until: now + ttl}
	if err := s.reserve(e.size(), now); err != nil {
		return err
	}
	s.entries[e.key] = e
	s.peak = max(s.peak, len(s.entries))
	heap.Push(&s.expiry, e)
	return nil
}

func (s *Store) remove(e *entry) {
	delete(s.entries, e.key)
	heap.Remove(&s.expiry, e.index)
	s.size -= e.size()
	if len(s.entries) == 0 && s.peak > 1024 { // a map never gets smaller
		s.entries, s.expiry, s.peak = make(map[string]*entry), nil, 0
	}
}

// reserve counts more bytes as used. A full store first frees all that has
// expired; what has not is never dropped.
func (s *Store) reserve(more int, now time.Duration) error {
	if s.size+more > s.budget {
		s.expire(now, math.MaxInt)
	}
	if s.size+more > s.budget {
		return ErrQuota
	}
	s.size += more
	return nil
}

func (s *Store) expire(now time.Duration, most int) {
	for n := 0; n < most && len(s.expiry) > 0 && s.expiry[0].until <= now; n++ {
		s.remove(s.expiry[0])
	}
}

// byExpiry is a heap.Interface.
type byExpiry []*entry

func (h byExpiry) Len() int           { return len(h) }
func (h byExpiry) Less(i, j int) bool { return h[i].until < h[j].until }

func (h byExpiry) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *byExpiry) Push(x any) {
	e := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

func (h *byExpiry) Pop() any {
	last := len(*h) - 1
	e := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return e
}
