package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Conn returns a new connection of somebody who may do everything. It is
// closed with the test.
func (s *Server) Conn() *Conn {
	s.tb.Helper()
	c, err := s.dial()
	if err != nil {
		s.tb.Fatalf("connecting to redis-server %s: %v", s.Addr(), err)
	}
	s.tb.Cleanup(func() { _ = c.Close() })
	return c
}

// Do does one command on a connection of its own, and fails the test if that
// fails. See [Conn.Do] for what it returns.
func (s *Server) Do(args ...any) any {
	s.tb.Helper()
	v, err := s.Try(args...)
	if err != nil {
		s.tb.Fatalf("redis-server %s: %v: %v", s.Addr(), args, err)
	}
	return v
}

// Try is Do for a command that may fail.
func (s *Server) Try(args ...any) (any, error) {
	c, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.Do(args...)
}

func (s *Server) dial() (*Conn, error) {
	c, err := Dial(s.Addr(), s.TLSConfig())
	if err != nil {
		return nil, err
	}
	switch username, password := s.login(); {
	case username != "":
		_, err = c.Do("AUTH", username, password)
	case password != "":
		_, err = c.Do("AUTH", password)
	}
	if err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("redis auth: %w", err)
	}
	return c, nil
}

// login returns who may do everything now.
func (s *Server) login() (username, password string) {
	s.logins.Lock()
	defer s.logins.Unlock()
	return s.config.login()
}

// CPU returns how much processor time the server has used, in microseconds.
// Asking costs a little itself: subtract what two calls in a row say.
func (s *Server) CPU() time.Duration {
	s.tb.Helper()
	info, err := s.info("cpu")
	if err != nil {
		s.tb.Fatalf("redis-server %s: %v", s.Addr(), err)
	}
	var sum time.Duration
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		seconds, err := strconv.ParseFloat(info[field], 64)
		if err != nil {
			s.tb.Fatalf("redis-server %s: %s: %v", s.Addr(), field, err)
		}
		sum += time.Duration(seconds * float64(time.Second)).Round(time.Microsecond)
	}
	return sum
}

// Calls returns how often a command was called, by its name in lower case:
// "ping", "cluster|slots".
func (s *Server) Calls(command string) int {
	s.tb.Helper()
	info, err := s.info("commandstats")
	if err != nil {
		s.tb.Fatalf("redis-server %s: %v", s.Addr(), err)
	}
	var calls int
	_, _ = fmt.Sscanf(info["cmdstat_"+command], "calls=%d,", &calls) // nothing was called yet
	return calls
}

// info returns one section of INFO.
func (s *Server) info(section string) (map[string]string, error) {
	v, err := s.Try("INFO", section)
	if err != nil {
		return nil, err
	}
	return fields(v), nil
}

// fields returns the name:value lines of a reply.
func fields(reply any) map[string]string {
	text, _ := reply.(string)
	m := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[name] = value
		}
	}
	return m
}
