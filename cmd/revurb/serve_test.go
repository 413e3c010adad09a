package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/revurb/revurb/core/server"
)

// fakeNode is a server whose end the test decides on.
type fakeNode struct {
	stopping  chan struct{} // closed once it is told to stop
	stopped   chan error    // lets it stop
	reloaded  chan struct{}
	reloadErr error
}

func newFakeNode() *fakeNode {
	return &fakeNode{stopping: make(chan struct{}), stopped: make(chan error, 1), reloaded: make(chan struct{}, 1)}
}

func (n *fakeNode) Listen() error       { return nil }
func (n *fakeNode) URL() string         { return "http://127.0.0.1:8080" }
func (n *fakeNode) AdminAddr() net.Addr { return nil }

func (n *fakeNode) Reload() error {
	n.reloaded <- struct{}{}
	return n.reloadErr
}

func (n *fakeNode) Serve(ctx context.Context) (server.Summary, error) {
	select {
	case <-ctx.Done():
		close(n.stopping)
	case err := <-n.stopped:
		return server.Summary{Disconnected: 12}, err
	}
	return server.Summary{Disconnected: 12}, <-n.stopped
}

// serving runs serve until the test ends it.
type serving struct {
	node    *fakeNode
	signals chan os.Signal
	out     bytes.Buffer // read only once it has ended
	end     chan error
}

func startServing(t *testing.T, n *fakeNode, log io.Writer) *serving {
	s := &serving{node: n, signals: make(chan os.Signal), end: make(chan error, 1)}
	c := &cli{stdout: &s.out, stderr: io.Discard}
	go func() { s.end <- c.serve(t.Context(), n, s.signals, slog.New(slog.NewTextHandler(log, nil))) }()
	return s
}

func TestSignalStopsGently(t *testing.T) {
	for _, sig := range stopSignals {
		t.Run(sig.String(), func(t *testing.T) {
			s := startServing(t, newFakeNode(), io.Discard)
			s.signals <- sig
			<-s.node.stopping
			s.node.stopped <- nil
			if err := <-s.end; err != nil {
				t.Errorf("got %v, want a gentle stop", err)
			}
			want := "Stopping the server on http://127.0.0.1:8080. Once more stops it at once.\nDisconnected 12 connections.\n"
			if got := s.out.String(); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	s := startServing(t, newFakeNode(), io.Discard)
	s.signals <- syscall.SIGTERM
	<-s.node.stopping
	s.signals <- syscall.SIGINT // while it has not stopped
	err := <-s.end
	var cut *cutShort
	if !errors.As(err, &cut) || cut.code() != 130 {
		t.Errorf("got %v, want an end with exit code 130", err)
	}
	s.node.stopped <- nil
}

func TestFailureEndsTheServer(t *testing.T) {
	s := startServing(t, newFakeNode(), io.Discard)
	failure := errors.New("the network is gone")
	s.node.stopped <- failure
	if err := <-s.end; !errors.Is(err, failure) {
		t.Errorf("got %v, want %v", err, failure)
	}
}

// A certificate that cannot be used is no reason to stop.
func TestReloadGoesOn(t *testing.T) {
	for name, err := range map[string]error{"reloaded": nil, "not reloaded": errors.New("no such file")} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			n := newFakeNode()
			n.reloadErr = err
			s := startServing(t, n, &log)
			s.signals <- reloadSignal
			<-n.reloaded
			s.signals <- syscall.SIGTERM
			<-n.stopping
			n.stopped <- nil
			if err := <-s.end; err != nil {
				t.Errorf("got %v, want a gentle stop", err)
			}
			if !strings.Contains(log.String(), name) {
				t.Errorf("the log has no %q:\n%s", name, &log)
			}
		})
	}
}
