package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/revurb/revurb/core/listen"
	"github.com/revurb/revurb/core/websocket"
)

// Serve serves until ctx is done, then stops as Summary says. It is called
// once. The error is why the server could not go on, if that is why it stopped;
// clients are let go of all the same.
func (s *Server) Serve(ctx context.Context) (Summary, error) {
	if s.listener == nil {
		if err := s.Listen(); err != nil {
			return Summary{}, err
		}
	}
	defer tuneGC()()
	defer s.closeBroker()

	var background sync.WaitGroup
	defer background.Wait()
	// What runs in the background runs while the server stops, too.
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	background.Go(func() { s.wheel.Run(running) })
	// Files that change while the server stops are nobody's concern.
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	background.Go(func() { s.loader.Watch(watching) })
	if s.cert != nil {
		background.Go(func() { s.watchCertificate(running) })
	}
	if s.admin != nil {
		background.Go(s.serveAdmin)
		defer func() { _ = s.admin.Close() }()
	}

	failed := make(chan error, 1)
	background.Go(func() { failed <- s.serveHTTP() })
	select {
	case err := <-failed:
		return s.stop(ctx), fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
		return s.stop(ctx), nil
	}
}

func (s *Server) serveHTTP() error {
	var config *tls.Config
	if s.cert != nil {
		config = s.cert.Config()
	}
	return s.http.Serve(listen.Strict(websocket.Listener(s.listener, s.config.WebSocket), config))
}

// closeBroker says goodbye to the cluster. Where that fails nobody can do more: the
// other nodes take this one for dead when its lease has expired.
func (s *Server) closeBroker() {
	if err := s.broker.Close(); err != nil {
		s.log.Warn("stopped without telling the cluster, which notices when the lease expires", "err", err)
	}
}

// serveAdmin does not end the server when it fails: clients do not need it.
func (s *Server) serveAdmin() {
	if err := s.admin.Serve(); err != nil {
		s.log.Error("going without metrics and profiles", "err", err)
	}
}

// watchCertificate does not end the server when it fails: there is still Reload.
func (s *Server) watchCertificate(ctx context.Context) {
	if err := s.cert.Watch(ctx); err != nil {
		s.log.Warn("a new certificate is used only when the server is told to reload", "err", err)
	}
}

// shutdown finishes the requests that are being answered, and closes all other
// connections that are no WebSockets.
func (s *Server) shutdown(ctx context.Context) {
	if err := s.http.Shutdown(ctx); err != nil && !errors.Is(err, http.ErrServerClosed) {
		_ = s.http.Close()
	}
}
