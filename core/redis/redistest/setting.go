package redistest

import (
	"fmt"
	"strconv"
)

// SetPassword changes the password that clients need and cuts them all off, as
// a managed Redis does when it rotates one. What the package itself does goes
// on, and a restart keeps the new password.
func (s *Server) SetPassword(password string) {
	s.tb.Helper()
	c := s.Conn()
	defer c.Close()
	change := []any{"CONFIG", "SET", "requirepass", password}
	if s.config.username != "" {
		change = []any{"ACL", "SETUSER", s.config.username, "resetpass", ">" + password}
	}
	s.must(c, change...)
	s.logins.Lock()
	s.config.password = password
	s.logins.Unlock()
	s.must(c, "CONFIG", "REWRITE")
	s.killClients(c)
}

// killClients closes the connection of everybody but c. Replicas keep theirs.
func (s *Server) killClients(c *Conn) {
	s.tb.Helper()
	for _, kind := range []string{"normal", "pubsub"} {
		s.must(c, "CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")
	}
}

// LimitClients cuts everybody off and lets nobody in, as a server does that has
// as many clients as it takes, until the limit is lifted.
func (s *Server) LimitClients() (lift func()) {
	s.tb.Helper()
	c := s.Conn() // nobody gets another one
	before := s.setting(c, "maxclients")
	s.must(c, "CONFIG", "SET", "maxclients", 1)
	s.killClients(c)
	return func() {
		s.tb.Helper()
		s.must(c, "CONFIG", "SET", "maxclients", before)
		_ = c.Close()
	}
}

// RequireReplicas refuses writes while fewer than n replicas follow; 0 ends that.
func (s *Server) RequireReplicas(n int) {
	s.tb.Helper()
	s.Do("CONFIG", "SET", "min-replicas-to-write", n)
}

// LimitMemory refuses writes that need memory while more than so many bytes are
// used, unless something can be evicted; 0 ends that.
func (s *Server) LimitMemory(bytes int) {
	s.tb.Helper()
	s.Do("CONFIG", "SET", "maxmemory", strconv.Itoa(bytes))
}

func (s *Server) must(c *Conn, args ...any) any {
	s.tb.Helper()
	v, err := c.Do(args...)
	if err != nil {
		s.tb.Fatalf("redis-server %s: %v: %v", s.Addr(), args, err)
	}
	return v
}

// setting returns the value of a directive of redis.conf.
func (s *Server) setting(c *Conn, name string) string {
	s.tb.Helper()
	list, _ := s.must(c, "CONFIG", "GET", name).([]any)
	if len(list) != 2 {
		s.tb.Fatalf("redis-server %s has no %s", s.Addr(), name)
	}
	return fmt.Sprint(list[1])
}
