package redistest

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Server is a Redis on a port of its own, which it keeps when it is killed
// and started again. Its methods may be called from several goroutines, but
// those that can fail the test only from the test's own.
type Server struct {
	tb     testing.TB
	config config
	dir    string
	port   int
	// busPort is where the nodes of a cluster talk to each other.
	busPort int

	mu      sync.Mutex // guards what follows
	process *process

	logins sync.Mutex // guards the passwords in config
}

// Start starts an empty Redis that ends with the test.
func Start(tb testing.TB, options ...Option) *Server {
	tb.Helper()
	require(tb)
	return start(tb, newConfig(tb, options))
}

func start(tb testing.TB, c config) *Server {
	tb.Helper()
	s := &Server{tb: tb, config: c, dir: tb.TempDir()}
	tb.Cleanup(func() {
		s.Kill()
		if tb.Failed() {
			tb.Logf("redis-server %s logged:\n%s", s.Addr(), s.log())
		}
	})
	var err error
	for range 10 { // somebody else may take the port first
		s.port = freePort()
		write(tb, s.confFile(), s.conf())
		if err = s.run(); err == nil {
			return s
		}
		if !errors.Is(err, errEnded) {
			break
		}
	}
	tb.Fatalf("redis-server does not start: %v\n%s", err, s.log())
	return nil
}

// require ends a test that has no redis-server.
func require(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		const message = "redis-server is not installed. Install it (Debian: sudo apt-get install redis-server)."
		if os.Getenv("REVURB_REQUIRE_ALL") == "1" {
			tb.Fatal(message)
		}
		tb.Skip(message)
	}
}

// freePort returns a port that nobody listens on. It is below those that the
// system gives to outgoing connections, so that it is still free when a killed
// server comes back.
func freePort() int {
	for {
		port := 15000 + mathrand.IntN(15000)
		if l, err := net.Listen("tcp", address(port)); err == nil {
			l.Close()
			return port
		}
	}
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (s *Server) confFile() string { return filepath.Join(s.dir, "redis.conf") }

// conf returns the redis.conf of s. The server itself may change the file
// later: Sentinel does.
func (s *Server) conf() []byte {
	c := new(config)
	c.set("bind", "127.0.0.1")
	c.set("dir", s.dir)
	if t := s.config.tls; t != nil {
		c.set("port", "0")
		c.set("tls-port", strconv.Itoa(s.port))
		c.set("tls-cert-file", t.certFile)
		c.set("tls-key-file", t.keyFile)
		c.set("tls-ca-cert-file", t.certFile)
		c.set("tls-auth-clients", "no")
		c.set("tls-replication", "yes")
		c.set("tls-cluster", "yes")
	} else {
		c.set("port", strconv.Itoa(s.port))
	}
	if !s.config.sentinel {
		c.set("save", "")
		if s.config.fsync != "" {
			c.set("appendonly", "yes")
			c.set("appendfsync", s.config.fsync)
		} else {
			c.set("appendonly", "no")
		}
	}
	if s.config.cluster {
		s.busPort = freePort()
		c.set("cluster-enabled", "yes")
		c.set("cluster-port", strconv.Itoa(s.busPort))
	}
	c.directives = append(c.directives, s.config.directives...)
	return c.file()
}

// run starts the process and waits until it is this one that answers.
func (s *Server) run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	args := []string{s.confFile()}
	if s.config.sentinel {
		args = append(args, "--sentinel")
	}
	p, err := run(s.dir, args...)
	if err != nil {
		return err
	}
	s.process = p
	err = until(time.Minute, func() error {
		if p.ended() {
			return nil
		}
		return s.answers(p)
	})
	if err == nil && p.ended() {
		err = errEnded
	}
	if err != nil {
		p.kill()
	}
	return err
}

var errEnded = errors.New("it ended at once")

func (s *Server) answers(p *process) error {
	if _, err := s.Try("PING"); err != nil {
		return err
	}
	info, err := s.info("server")
	if err != nil {
		return err
	}
	if pid := info["process_id"]; pid != strconv.Itoa(p.pid()) {
		return fmt.Errorf("process %s answers on port %d, not ours", pid, s.port)
	}
	return nil
}

// Addr returns host:port.
func (s *Server) Addr() string { return address(s.port) }

// URL returns the server as redis://user:password@host:port/0; rediss with TLS.
func (s *Server) URL() string {
	s.logins.Lock()
	defer s.logins.Unlock()
	u := url.URL{Scheme: "redis", Host: s.Addr(), Path: "/0"}
	if s.config.tls != nil {
		u.Scheme = "rediss"
	}
	if s.config.password != "" {
		u.User = url.UserPassword(s.config.username, s.config.password)
	}
	return u.String()
}

// TLSConfig returns what a client needs to trust the server; nil without [TLS].
func (s *Server) TLSConfig() *tls.Config {
	if s.config.tls == nil {
		return nil
	}
	return s.config.tls.client()
}

// CAFile returns the file of the certificate that a client has to trust; ""
// without [TLS].
func (s *Server) CAFile() string {
	if s.config.tls == nil {
		return ""
	}
	return s.config.tls.certFile
}

// KeyFile returns the file of the key of that certificate; "" without [TLS]. A
// server that wants certificates of its clients takes this one.
func (s *Server) KeyFile() string {
	if s.config.tls == nil {
		return ""
	}
	return s.config.tls.keyFile
}

// log returns the end of what the server logged.
func (s *Server) log() string {
	b, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-30):], "\n")
}

func randomID() string { return rand.Text() }
