package redistest

import (
	"os"
	"path/filepath"
)

// Kill ends the server with SIGKILL. Its clients see their connections closed.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.kill()
	}
}

// Restart kills the server if it runs and starts it again on the same port:
// empty, as if its disk were lost with it. A node of a cluster still knows its
// slots.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Kill()
	// What a replica got from its master, or a test saved, is a file.
	if err := os.RemoveAll(filepath.Join(s.dir, "dump.rdb")); err != nil {
		s.tb.Fatal(err)
	}
	if err := s.run(); err != nil {
		s.tb.Fatalf("redis-server %s does not start again: %v\n%s", s.Addr(), err, s.log())
	}
}

// Pause halts the server with SIGSTOP: connections stay open, and the kernel
// takes more of them, but nobody answers. When Pause returns, it has stopped.
func (s *Server) Pause() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.stop(); err != nil {
		s.tb.Fatalf("pausing redis-server %s: %v", s.Addr(), err)
	}
}

// Resume lets a paused server go on, with all that was sent to it meanwhile.
func (s *Server) Resume() {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.process.cont(); err != nil {
		s.tb.Fatalf("resuming redis-server %s: %v", s.Addr(), err)
	}
}

// KillPubSub closes the connection of every subscriber and returns how many
// there were.
func (s *Server) KillPubSub() int {
	s.tb.Helper()
	n, _ := s.Do("CLIENT", "KILL", "TYPE", "pubsub").(int64)
	return int(n)
}

// FlushAll deletes everything, and closes no connection.
func (s *Server) FlushAll() {
	s.tb.Helper()
	s.Do("FLUSHALL")
}
