package redistest

import "time"

// busy runs until as many microseconds as ARGV[1] have passed.
const busy = `
local function now() local t = redis.call('TIME'); return t[1] * 1000000 + t[2] end
local till = now() + tonumber(ARGV[1])
while now() < till do end`

// Busy occupies the server with a script for d: nothing is answered, and from
// 5 s on all is answered with BUSY. When Busy returns the script has begun;
// what it returns waits for the end.
func (s *Server) Busy(d time.Duration) (wait func()) {
	s.tb.Helper()
	c := s.Conn()
	c.Timeout = 0
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = c.Do("EVAL", busy, 0, d.Microseconds()) // the server may be killed
	}()
	wait = func() { <-done }
	s.tb.Cleanup(func() {
		_ = c.Close()
		wait()
	})
	err := until(time.Minute, func() error {
		select {
		case <-done: // it was short
			return nil
		default:
			return s.answersNobody()
		}
	})
	if err != nil {
		s.tb.Fatalf("redis-server %s is not kept busy: %v", s.Addr(), err)
	}
	return wait
}

type answersError struct{}

func (answersError) Error() string { return "it answers" }

// answersNobody returns nil if the server takes its time for a PING.
func (s *Server) answersNobody() error {
	c, err := Dial(s.Addr(), s.TLSConfig())
	if err != nil {
		return err
	}
	defer c.Close()
	c.Timeout = 50 * time.Millisecond
	// Even a refusal is an answer, but for the one that says busy.
	switch _, err := c.Do("PING"); err := err.(type) {
	case nil:
		return answersError{}
	case Error:
		if len(err) < 4 || err[:4] != "BUSY" {
			return answersError{}
		}
	}
	return nil
}
