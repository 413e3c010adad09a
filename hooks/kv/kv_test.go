package kv_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/hooks/kv"
)

// clock is a time that passes only when told to.
type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func newStore(budget int) (*kv.Store, *clock) {
	c := &clock{t: time.Unix(1_700_000_000, 0)}
	return kv.New(budget, c.now), c
}

func get(t *testing.T, s *kv.Store, key string) string {
	t.Helper()
	v, ok := s.Get([]byte(key), []byte("="))
	if !ok {
		return ""
	}
	return string(v)
}

func set(t *testing.T, s *kv.Store, key, value string, ttl time.Duration) {
	t.Helper()
	if err := s.Set([]byte(key), []byte(value), ttl); err != nil {
		t.Fatal(err)
	}
}

func TestValuesLastForTheirTime(t *testing.T) {
	s, c := newStore(0)
	set(t, s, "a", "1", time.Second)
	set(t, s, "b", "2", time.Hour)
	if got := get(t, s, "a"); got != "=1" {
		t.Errorf("got %q, want what dst had and the value", got)
	}
	c.t = c.t.Add(time.Second - 1)
	if get(t, s, "a") == "" {
		t.Error("a is gone too early")
	}
	c.t = c.t.Add(1)
	if get(t, s, "a") != "" || get(t, s, "b") != "=2" {
		t.Error("after a second a is to be gone, and b is not")
	}
	set(t, s, "b", strings.Repeat("x", 1000), time.Second)
	c.t = c.t.Add(time.Minute)
	if get(t, s, "b") != "" {
		t.Error("a later Set decides how long")
	}
	if n, size := s.Size(); n != 0 || size != 0 {
		t.Errorf("%d keys and %d bytes are left", n, size)
	}
}

func TestALaterSetChangesWhatExpiresFirst(t *testing.T) {
	s, c := newStore(0)
	set(t, s, "a", "1", time.Hour)
	set(t, s, "b", "1", 2*time.Hour)
	set(t, s, "b", "1", time.Second)
	c.t = c.t.Add(time.Minute)
	if n, _ := s.Size(); n != 1 {
		t.Errorf("%d keys, want a alone", n)
	}
}

func TestDel(t *testing.T) {
	s, c := newStore(0)
	set(t, s, "a", "", time.Second)
	if get(t, s, "a") != "=" {
		t.Error("an empty value is a value")
	}
	if !s.Del([]byte("a")) || s.Del([]byte("a")) {
		t.Error("Del does not report whether there was a value")
	}
	set(t, s, "a", "1", time.Second)
	c.t = c.t.Add(time.Second)
	if s.Del([]byte("a")) {
		t.Error("what has expired is no value")
	}
}

func TestIncr(t *testing.T) {
	s, c := newStore(0)
	incr := func(delta, want int64) {
		t.Helper()
		if n, err := s.Incr([]byte("n"), delta, time.Second); err != nil || n != want {
			t.Fatalf("got %d, %v, want %d", n, err, want)
		}
	}
	incr(5, 5)
	c.t = c.t.Add(time.Second / 2)
	incr(-7, -2)
	v, _ := s.Get([]byte("n"), nil)
	if len(v) != 8 || int64(binary.LittleEndian.Uint64(v)) != -2 {
		t.Errorf("Get has % x, want -2", v)
	}
	c.t = c.t.Add(time.Second / 2)
	incr(1, 1) // its time counted from the first

	for _, limit := range []int64{math.MaxInt64, math.MinInt64} {
		s.Del([]byte("n"))
		incr(limit, limit)
		if _, err := s.Incr([]byte("n"), sign(limit), time.Second); !errors.Is(err, kv.ErrArgument) {
			t.Errorf("beyond %d: got %v, want %v", limit, err, kv.ErrArgument)
		}
		incr(0, limit)
	}
	set(t, s, "n", "text", time.Second)
	if _, err := s.Incr([]byte("n"), 1, time.Second); !errors.Is(err, kv.ErrArgument) {
		t.Errorf("of text: got %v, want %v", err, kv.ErrArgument)
	}
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

func TestArguments(t *testing.T) {
	s, _ := newStore(0)
	for _, c := range []struct {
		name       string
		key, value int
		ttl        time.Duration
		want       error
	}{
		{"the largest", kv.MaxKey, kv.MaxValue, kv.MaxTTL, nil},
		{"key too long", kv.MaxKey + 1, 0, time.Second, kv.ErrTooLarge},
		{"value too long", 1, kv.MaxValue + 1, time.Second, kv.ErrTooLarge},
		{"no key", 0, 1, time.Second, kv.ErrArgument},
		{"no ttl", 1, 1, 0, kv.ErrArgument},
		{"negative ttl", 1, 1, -1, kv.ErrArgument},
		{"ttl too long", 1, 1, kv.MaxTTL + 1, kv.ErrArgument},
	} {
		key := []byte(strings.Repeat("k", c.key))
		if err := s.Set(key, make([]byte, c.value), c.ttl); !errors.Is(err, c.want) {
			t.Errorf("Set, %s: got %v, want %v", c.name, err, c.want)
		}
		if c.value <= 1 && c.want != nil {
			if _, err := s.Incr(key, 1, c.ttl); !errors.Is(err, c.want) {
				t.Errorf("Incr, %s: got %v, want %v", c.name, err, c.want)
			}
		}
	}
}

func TestAFullStoreKeepsWhatItHas(t *testing.T) {
	s, c := newStore(4096)
	n := 0
	for ; ; n++ {
		err := s.Set(fmt.Appendf(nil, "k%d", n), make([]byte, 100), time.Duration(n+1)*time.Second)
		if errors.Is(err, kv.ErrQuota) {
			break
		}
		if err != nil || n > 100 {
			t.Fatal(n, err)
		}
	}
	if _, err := s.Incr(make([]byte, 200), 1, time.Second); !errors.Is(err, kv.ErrQuota) {
		t.Errorf("Incr: got %v, want %v", err, kv.ErrQuota)
	}
	if err := s.Set([]byte("k0"), make([]byte, 4000), time.Second); !errors.Is(err, kv.ErrQuota) {
		t.Errorf("a larger value: got %v, want %v", err, kv.ErrQuota)
	}
	if got := get(t, s, "k0"); len(got) != 101 {
		t.Errorf("k0 is %d bytes, want what it was", len(got))
	}
	if keys, size := s.Size(); keys != n || size > 4096 {
		t.Errorf("%d keys of %d bytes, want %d within 4096", keys, size, n)
	}
	c.t = c.t.Add(time.Second) // k0 expires
	set(t, s, "new", strings.Repeat("x", 100), time.Hour)
	for i := 1; i < n; i++ {
		if get(t, s, fmt.Sprintf("k%d", i)) == "" {
			t.Errorf("k%d was dropped while it had time", i)
		}
	}
}

func TestAFullStoreFreesAllThatHasExpired(t *testing.T) {
	s, c := newStore(4096)
	for i := range 20 {
		set(t, s, fmt.Sprint(i), "x", time.Second)
	}
	c.t = c.t.Add(time.Second)
	set(t, s, "large", strings.Repeat("x", 3900), time.Second)
}

func TestWhatHasExpiredIsFreedByOthers(t *testing.T) {
	s, c := newStore(0)
	for i := range 5000 {
		set(t, s, fmt.Sprint(i), "x", time.Second)
	}
	set(t, s, "stays", "x", time.Hour)
	c.t = c.t.Add(time.Minute)
	for range 1250 {
		get(t, s, "stays")
	}
	if got := kv.Len(s); got != 1 {
		t.Errorf("%d entries are in memory, want 1", got)
	}
}

func TestGetAllocatesNothing(t *testing.T) {
	s, _ := newStore(0)
	set(t, s, "key", "value", time.Hour)
	key, dst := []byte("key"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() {
		dst, _ = s.Get(key, dst[:0])
		if _, err := s.Incr([]byte("n"), 1, time.Hour); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestConcurrentIncrsAllCount(t *testing.T) {
	s := kv.New(0, nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				s.Incr([]byte("n"), 1, time.Hour)
				s.Set(fmt.Append(nil, i%7), []byte("v"), time.Microsecond)
				s.Get(fmt.Append(nil, i%7), nil)
			}
		})
	}
	wg.Wait()
	if n, err := s.Incr([]byte("n"), 0, time.Hour); err != nil || n != 2000 {
		t.Errorf("got %d, %v, want 2000", n, err)
	}
}

func BenchmarkGet(b *testing.B) {
	s := kv.New(0, nil)
	s.Set([]byte("user:4711"), make([]byte, 100), time.Hour)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key, dst := []byte("user:4711"), make([]byte, 0, 128)
		for pb.Next() {
			s.Get(key, dst)
		}
	})
}

func BenchmarkIncr(b *testing.B) {
	s := kv.New(0, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		key := []byte("user:4711")
		for pb.Next() {
			s.Incr(key, 1, time.Hour)
		}
	})
}

func BenchmarkSet(b *testing.B) {
	s := kv.New(0, nil)
	value := make([]byte, 100)
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key = fmt.Appendf(key[:0], "user:%d", i%10_000)
		s.Set(key, value, time.Duration(i%1000+1)*time.Second)
	}
}
