// Package admin is what only the operator may see: metrics, profiles and
// health, on a listener of its own.
//
// It knows nothing of apps or clients.
package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/metrics"
)

// Server serves the admin endpoints:
//
//	GET /metrics        for Prometheus, as text
//	GET /debug/pprof/   profiles, see package net/http/pprof
//	GET /live, /ready   see Live and Ready
//	GET /plugins, POST /plugins/reload   see Plugins
type Server struct {
	listener net.Listener
	http     *http.Server
}

// Listen opens the listener. Nothing is answered before Serve. The zero Plugins
// is a server without.
func Listen(ctx context.Context, c config.Admin, m *metrics.Metrics, ready func() Health, p Plugins, log *slog.Logger) (*Server, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for admin on %s: %w; set admin.listen to another host:port, or to \"\" for none", c.Listen, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("GET /live", Live())
	mux.Handle("GET /ready", Ready(ready))
	p.routes(mux)
	return &Server{
		listener: ln,
		http: &http.Server{
			Handler:           mux,
			ReadHeaderTimeout: 5 * time.Second,
			IdleTimeout:       time.Minute,
			MaxHeaderBytes:    16 << 10,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests until Close.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin: %w", err)
	}
	return nil
}

// Close cuts off what is being answered, which may be a profile of minutes.
func (s *Server) Close() error {
	return errors.Join(s.http.Close(), ignoreClosed(s.listener.Close()))
}

// ignoreClosed is for a listener that was closed with its server, unless the
// server never served.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
