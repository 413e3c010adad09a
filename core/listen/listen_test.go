package listen_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/listen"
)

var discard = slog.New(slog.DiscardHandler)

func open(t *testing.T, c config.Server) net.Listener {
	t.Helper()
	ln, err := listen.Open(t.Context(), c, discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln
}

func TestOpenSaysWhatToDo(t *testing.T) {
	taken := open(t, config.Server{Host: "127.0.0.1"}).Addr().(*net.TCPAddr).Port
	for _, test := range []struct {
		name   string
		c      config.Server
		err    error
		advice string
	}{
		{"the port is taken", config.Server{Host: "127.0.0.1", Port: taken}, syscall.EADDRINUSE, "--port"},
		{"the address is not of this machine", config.Server{Host: "192.0.2.1"}, syscall.EADDRNOTAVAIL, "--host"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := listen.Open(t.Context(), test.c, discard)
			if !errors.Is(err, test.err) {
				t.Fatalf("got %v, want an error that is %v", err, test.err)
			}
			if !strings.Contains(err.Error(), test.advice) {
				t.Errorf("got %q, want it to mention %s", err, test.advice)
			}
		})
	}
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revurb.sock")
	c := config.Server{UnixSocket: path}
	ln := open(t, c)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o660 {
		t.Errorf("got mode %o, want 660", got)
	}
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()

	if _, err := listen.Open(t.Context(), c, discard); err == nil || !strings.Contains(err.Error(), "another server listens there") {
		t.Errorf("a second server: got %v, want to be told of the first", err)
	}
	if client, err = net.Dial("unix", path); err != nil {
		t.Fatalf("after a second server was refused: %v", err)
	}
	_ = client.Close()

	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close: got %v, want the socket to be gone", err)
	}
}

func TestUnixSocketOfADeadServerIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revurb.sock")
	dead, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = dead.Close()

	open(t, config.Server{UnixSocket: path})
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

func TestUnixSocketLeavesOtherFilesAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen.Open(t.Context(), config.Server{UnixSocket: path}, discard); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v, want to be told of the file", err)
	}
	if b, err := os.ReadFile(path); string(b) != "data" {
		t.Errorf("got %q, %v, want the file as it was", b, err)
	}
}

func TestUnixSocketOfTheNextServerStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "revurb.sock")
	old := open(t, config.Server{UnixSocket: path})
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	open(t, config.Server{UnixSocket: path})
	_ = old.Close()
	client, err := net.Dial("unix", path)
	if err != nil {
		t.Fatalf("the next server has lost its socket: %v", err)
	}
	_ = client.Close()
}

func TestPatientAcceptOutlivesAShortage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log buffer
		ln := &short{until: time.Now().Add(10 * time.Second)}
		p := listen.Patient(ln, slog.New(slog.NewTextHandler(&log, nil)))
		c, err := p.Accept()
		if err != nil || c == nil {
			t.Fatalf("got %v, %v, want the connection", c, err)
		}
		if got := time.Since(ln.until); got > time.Second {
			t.Errorf("got the connection %v after the shortage, want within a second", got)
		}
		if ln.tries > 20 {
			t.Errorf("got %d tries in ten seconds, want at most 20", ln.tries)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n < 9 || n > 11 {
			t.Errorf("got %d lines in ten seconds, want one a second:\n%s", n, log.String())
		}
		if !strings.Contains(log.String(), "accepting connections again") {
			t.Errorf("got %s, want it to say that the shortage is over", log.String())
		}
	})
}

func TestPatientAcceptEndsWithItsListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := listen.Patient(&short{until: time.Now().Add(time.Hour)}, discard)
		ended := make(chan error)
		go func() {
			_, err := p.Accept()
			ended <- err
		}()
		time.Sleep(10 * time.Second)
		_ = p.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want %v", err, net.ErrClosed)
		}
	})
}

func TestPatientAcceptPassesOtherErrorsOn(t *testing.T) {
	ln := open(t, config.Server{Host: "127.0.0.1"})
	_ = ln.Close()
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want %v", err, net.ErrClosed)
	}
}

// short is a listener in want of file descriptors.
type short struct {
	net.Listener
	until time.Time
	tries int
}

func (s *short) Accept() (net.Conn, error) {
	s.tries++
	if time.Now().Before(s.until) {
		return nil, &net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}
	}
	c, _ := net.Pipe()
	return c, nil
}

func (s *short) Close() error { return nil }

// buffer is a bytes.Buffer that may be read while it is written to.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
