// Package kv is what the instances of a plugin share: keys with values, each for
// a time, within a budget of memory.
//
// It knows nothing of plugins, which package wasm runs, nor how long a store is
// kept, which package loader decides: it outlives a reload of its plugin.
package kv

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"time"
)

// The limits of a key and its value.
const (
	MaxKey   = 256
	MaxValue = 64 << 10
	MaxTTL   = 30 * 24 * time.Hour
)

// DefaultBudget is how many bytes a store may use.
const DefaultBudget = 16 << 20

// overhead is what an entry costs beside its key and value: itself, its place in
// the map and in the heap. Without it a plugin could fill the memory with keys
// that have no value.
const overhead = 128

// The errors of a Store. What fails changes nothing.
var (
	ErrQuota    = errors.New("store is full")
	ErrTooLarge = errors.New("key or value is too large")
	ErrArgument = errors.New("invalid argument")
)

// Store is keys and values. Its methods may be called concurrently.
//
// One mutex guards it: an operation holds it for some 100 ns, and to count the
// memory of several shards together they would have to share a counter anyway.
type Store struct {
	// Static after construction.
	now   func() time.Time
	start time.Time

	// mu, guards what follows.
	mu      sync.Mutex
	budget  int
	entries map[string]*entry
	expiry  byExpiry // the same, first to expire first
	size    int      // bytes, of all entries
	peak    int      // how many entries there were at most, since the map was made
}

type entry struct {
	key   string
	value []byte
	until time.Duration // since start
	index int           // in expiry
}

func (e *entry) size() int { return overhead + len(e.key) + cap(e.value) }

// New returns a store that uses at most budget bytes; 0 is DefaultBudget. A nil
// now is time.Now.
func New(budget int, now func() time.Time) *Store {
	if budget == 0 {
		budget = DefaultBudget
	}
	if now == nil {
		now = time.Now
	}
	return &Store{budget: budget, now: now, start: now(), entries: make(map[string]*entry)}
}

// Resize changes how many bytes s may use; 0 is DefaultBudget. What is more stays
// until it expires.
func (s *Store) Resize(budget int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.budget = cmp.Or(budget, DefaultBudget)
}

// Get appends the value of key to dst, and reports whether there is one.
func (s *Store) Get(key, dst []byte) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, s.tick())
	if e == nil {
		return dst, false
	}
	return append(dst, e.value...), true
}

// Set makes value that of key, for ttl.
func (s *Store) Set(key, value []byte, ttl time.Duration) error {
	if err := check(key, value, ttl); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.tick()
	e := s.find(key, now)
	if e == nil {
		return s.add(key, value, now, ttl)
	}
	if cap(e.value) < len(value) || cap(e.value)/2 > len(value) {
		fresh := clone(value)
		if err := s.reserve(cap(fresh)-cap(e.value), now); err != nil {
			return err
		}
		e.value = fresh
	} else {
		e.value = append(e.value[:0], value...)
	}
	e.until = now + ttl
	heap.Fix(&s.expiry, e.index)
	return nil
}

// Incr adds delta to the integer that is the value of key, eight little-endian
// bytes, and returns the sum. A key without a value is 0, and then has one for
// ttl; the ttl of one that has a value stays.
func (s *Store) Incr(key []byte, delta int64, ttl time.Duration) (int64, error) {
	if err := check(key, nil, ttl); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.tick()
	e := s.find(key, now)
	if e == nil {
		var value [8]byte
		binary.LittleEndian.PutUint64(value[:], uint64(delta))
		return delta, s.add(key, value[:], now, ttl)
	}
	if len(e.value) != 8 {
		return 0, ErrArgument
	}
	n := int64(binary.LittleEndian.Uint64(e.value))
	if delta > 0 && n > math.MaxInt64-delta || delta < 0 && n < math.MinInt64-delta {
		return n, ErrArgument
	}
	binary.LittleEndian.PutUint64(e.value, uint64(n+delta))
	return n + delta, nil
}

// Del removes key, and reports whether it had a value.
func (s *Store) Del(key []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(key, s.tick())
	if e == nil {
		return false
	}
	s.remove(e)
	return true
}

// Size returns how many keys have a value, and how many bytes they use. It
// frees all that has expired.
func (s *Store) Size() (keys, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expire(s.now().Sub(s.start), math.MaxInt)
	return len(s.entries), s.size
}

func check(key, value []byte, ttl time.Duration) error {
	switch {
	case len(key) > MaxKey, len(value) > MaxValue:
		return ErrTooLarge
	case len(key) == 0, ttl <= 0, ttl > MaxTTL:
		return ErrArgument
	}
	return nil
}

func clone(b []byte) []byte { return append(make([]byte, 0, len(b)), b...) }
