package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/server"
)

// node is the server as a command sees it.
type node interface {
	Listen() error
	URL() string
	AdminAddr() net.Addr
	Reload() error
	Serve(ctx context.Context) (server.Summary, error)
}

func openServer(c config.Config, o server.Options, log *slog.Logger) (node, error) {
	return server.NewWith(c, o, log)
}

// The signals that mean something to a running server. It stops gently on the
// first kind, and at once on a second of them.
var (
	stopSignals  = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT}
	reloadSignal = os.Signal(syscall.SIGHUP)
)

// cutShort is the end of a server that was not let stop gently.
type cutShort struct{ signal os.Signal }

func (e *cutShort) Error() string { return "stopped at once: " + e.signal.String() }

// code is the exit code that shells give to who dies of a signal.
func (e *cutShort) code() int {
	if s, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(s)
	}
	return exitRuntime
}

// serve runs s until a signal or ctx ends it, and says how many clients it let
// go.
func (c *cli) serve(ctx context.Context, s node, signals <-chan os.Signal, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	type outcome struct {
		summary server.Summary
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		summary, err := s.Serve(ctx)
		done <- outcome{summary, err}
	}()
	for {
		select {
		case o := <-done:
			fmt.Fprintf(c.stdout, "Disconnected %s.\n", count(o.summary.Disconnected, "connection"))
			return o.err
		case sig := <-signals:
			switch {
			case sig == reloadSignal:
				reload(s, log)
			case ctx.Err() != nil:
				return &cutShort{sig}
			default:
				fmt.Fprintf(c.stdout, "Stopping the server on %s. Once more stops it at once.\n", s.URL())
				stop()
			}
		}
	}
}

func reload(s node, log *slog.Logger) {
	if err := s.Reload(); err != nil {
		log.Error("not reloaded", "err", err)
		return
	}
	log.Info("reloaded")
}
