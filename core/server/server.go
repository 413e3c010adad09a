// Package server puts the parts together, starts and stops them. It is the only
// package that knows all of them; what to read next is in the order of New.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/admin"
	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/listen"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/redis"
	"github.com/revurb/revurb/core/webhook"
	"github.com/revurb/revurb/core/websocket"
	"github.com/revurb/revurb/core/wheel"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/loader"
)

// tick is how precise the liveness of clients is.
const tick = time.Second

// Server is one node. Its life is New, Listen, Serve.
type Server struct {
	// Static after construction.
	config  config.Config
	log     *slog.Logger
	metrics *metrics.Metrics
	broker  broker.Broker
	hub     *hub.Hub
	hooks   *webhook.Dispatcher
	loader  *loader.Loader // of plugins
	wheel   *wheel.Wheel
	gate    *gate
	cert    *listen.Certificate // nil without TLS
	node    *redis.Node         // nil where the server runs alone
	http    *http.Server

	readPlugins func() ([]loader.Config, error) // nil if they stay as config has them

	// Set by Listen.
	listener net.Listener
	admin    *admin.Server // nil if there is none

	stopping atomic.Bool
}

// New builds the server that c describes. It opens nothing yet.
func New(c config.Config, log *slog.Logger) (*Server, error) { return NewWith(c, Options{}, log) }

// NewWith is New with options.
func NewWith(c config.Config, o Options, log *slog.Logger) (*Server, error) {
	prefix, err := cleanPath(c.Server.Path)
	if err != nil {
		return nil, err
	}
	c.Server.Path = prefix
	proxies, err := listen.ParseProxies(c.Server.TrustedProxies)
	if err != nil {
		return nil, err
	}
	s := &Server{
		config:  c,
		log:     log,
		metrics: metrics.New(),
		wheel:   wheel.New(tick),

		readPlugins: o.Plugins,
	}
	if c.TLS != (config.TLS{}) {
		if s.cert, err = listen.LoadCertificate(c.TLS, log); err != nil {
			return nil, err
		}
	}
	if s.hooks, err = webhook.New(c.Webhooks, s.metrics, log); err != nil {
		return nil, err
	}
	plugins := new(hooks.Hooks)
	s.loader = s.newLoader(plugins, o.Version)
	s.metrics.WatchPlugins(s.measurePlugins)
	ports, err := s.ports()
	if err != nil {
		return nil, err
	}
	ports.Webhooks, ports.Hooks = s.hooks, plugins
	s.broker = ports.Broker
	if s.hub, err = hub.New(ports, s.metrics, log); err != nil {
		return nil, err
	}
	s.wheel.Panicked = func(reason any) {
		s.metrics.Panicked()
		log.Error("liveness check failed", "reason", reason)
	}
	s.gate = newGate(limit.NewIPs(c.Server.MaxConnectionsPerIP, c.Server.ConnectionRatePerIP), proxies, s.metrics)
	clients := websocket.NewHandler(c.WebSocket, websocket.Deps{
		Apps:    c.Apps,
		Hub:     s.hub,
		Metrics: s.metrics,
		Wheel:   s.wheel,
		Log:     log,
		Gate:    s.gate,
		Address: proxies.Client,
		Secure:  proxies.Secure,
	})
	s.http = s.newHTTP(s.routes(clients, api.New(c.API, c.Apps, s.hub, s.metrics, log)))
	return s, nil
}

// newHTTP bounds how long a client may take for each part of a request. None of
// it holds for a connection that has become a WebSocket.
func (s *Server) newHTTP(h http.Handler) *http.Server {
	c := s.config.Server
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           h,
		Protocols:         protocols,
		ReadHeaderTimeout: c.HandshakeTimeout,
		ReadTimeout:       c.RequestTimeout,
		WriteTimeout:      2 * c.RequestTimeout, // from the same moment on
		IdleTimeout:       c.IdleTimeout,
		MaxHeaderBytes:    c.MaxHeaderSize,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// Reload reads the files of the certificate again, and the plugins with their
// configuration. What cannot be used stays what it is, and the error says why.
// Files of a certificate that change are read without being asked to.
func (s *Server) Reload() error {
	var cert error
	if s.cert != nil {
		if cert = s.cert.Reload(); cert != nil {
			cert = fmt.Errorf("the certificate stays as it was: %w", cert)
		}
	}
	_, err := s.reloadPlugins(context.Background())
	if err != nil {
		err = fmt.Errorf("the plugins stay as they were: %w", err)
	}
	return errors.Join(cert, err)
}

// cleanPath returns a path prefix with a slash at its beginning and none at its
// end; "" is none.
func cleanPath(path string) (string, error) {
	trimmed := strings.Trim(path, "/")
	if trimmed == "" {
		return "", nil
	}
	for segment := range strings.SplitSeq(trimmed, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, reserved) {
			return "", fmt.Errorf("server.path: %q is no path such as /ws: use letters, digits, and -._~ between slashes", path)
		}
	}
	return "/" + trimmed, nil
}

// reserved reports whether a path cannot have r as it is (RFC 3986, section 2.3).
func reserved(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("-._~", r)
}
