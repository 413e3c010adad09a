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
// with [AOF] it has what it had, and without it is empty, as if its disk were
// lost with it. A node of a cluster still knows its slots.
func (s *Server) Restart() {
	s.tb.Helper()
	if s.config.fsync == "" {
		s.RestartEmpty()
		return
	}
	s.Kill()
	s.rerun()
}

// RestartEmpty is Restart of a server whose disk is lost, even with [AOF].
func (s *Server) RestartEmpty() {
	s.tb.Helper()
	s.Kill()
	// What a replica got from its master, or a test saved, is a file.
	for _, name := range []string{"dump.rdb", "appendonlydir"} {
		if err := os.RemoveAll(filepath.Join(s.dir, name)); err != nil {
			s.tb.Fatal(err)
		}
	}
	s.rerun()
}

func (s *Server) rerun() {
	s.tb.Helper()
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

// silent reports whether the server is dead or paused: to ask it would only cost
// time.
func (s *Server) silent() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process == nil || s.process.ended() || s.process.stopped()
}
