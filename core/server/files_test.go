//go:build unix

package server_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/server"
)

// maxFiles makes this test binary a server of its own that may open so many
// files.
const maxFiles = "REVURB_TEST_MAX_FILES"

func TestRunningOutOfFiles(t *testing.T) {
	if n, err := strconv.Atoi(os.Getenv(maxFiles)); err == nil {
		serveWithFiles(t, uint64(n))
		return
	}
	const files = 64
	var log buffer
	// The context of the test is over before its cleanup, which stops the server.
	ctx, cancel := context.WithTimeout(context.Background(), 5*patience)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestRunningOutOfFiles$")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", maxFiles, files))
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		defer cancel()
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v\n%s", err, log.String())
		}
	})
	lines := bufio.NewScanner(out)
	var addr string
	for addr == "" && lines.Scan() {
		addr, _ = strings.CutPrefix(lines.Text(), "listening on ")
	}

	if addr == "" {
		t.Fatalf("the server does not listen:\n%s", log.String())
	}
	first, err := net.Dial("tcp", addr)
	must(t, err)
	alive, _, err := upgrade(first, path, nil)
	must(t, err)
	must(t, alive.greet())

	start := time.Now()
	flood := make([]net.Conn, 2*files)
	for i := range flood {
		flood[i], err = net.Dial("tcp", addr) // the kernel accepts for the server
		must(t, err)
	}
	errorsLogged := func() int { return strings.Count(log.String(), "level=ERROR") }
	eventually(t, "log three times", func() bool { return errorsLogged() >= 3 })
	if took := time.Since(start); took < 1900*time.Millisecond {
		t.Errorf("logged three times in %v, want once a second", took)
	}
	if !strings.Contains(log.String(), "too many open files") {
		t.Errorf("got the log %s, want it to say why", log.String())
	}
	must(t, alive.subscribe("news", nil)) // who is connected notices nothing

	for _, c := range flood {
		_ = c.Close()
	}
	later, err := net.Dial("tcp", addr)
	must(t, err)
	again, _, err := upgrade(later, path, nil)
	must(t, err)
	must(t, again.greet())
	eventually(t, "log that it is over", func() bool { return strings.Contains(log.String(), "accepting connections again") })
	_ = later.Close()
	_ = first.Close()
}

// serveWithFiles is a server that may open n files, until it gets SIGTERM.
func serveWithFiles(t *testing.T, n uint64) {
	limit := syscall.Rlimit{Cur: n, Max: n}
	must(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	a := app.Default(protocol.Pusher)
	a.ID, a.Key, a.Secret = appID, appKey, appSecret
	c := config.Default()
	c.Server.Port, c.Admin.Listen, c.Apps = 0, "", app.List{a}
	s, err := server.New(c, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	must(t, err)
	must(t, s.Listen())
	fmt.Printf("listening on %s\n", s.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	_, err = s.Serve(ctx)
	must(t, err)
}
