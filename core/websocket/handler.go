package websocket

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/conn"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/wheel"
	"github.com/revurb/revurb/hooks"
)

// Deps are what a Handler works with. All but Gate, Address and Secure are
// required.
type Deps struct {
	Apps    app.Finder
	Hub     *hub.Hub
	Metrics *metrics.Metrics
	Wheel   *wheel.Wheel // calls the liveness checks; the caller runs it
	Log     *slog.Logger

	// Gate limits who may connect; nil lets everyone in.
	Gate Gate

	// Address is where a client is, as this server or a trusted proxy before it
	// sees it; nil is the former.
	Address func(*http.Request) netip.Addr

	// Secure reports whether the client came with TLS, to this server or to a
	// trusted proxy before it; nil asks whether it was to this server.
	Secure func(*http.Request) bool
}

// Gate limits who may connect, before anything is known but the address.
type Gate interface {
	// Enter lets a client in, who calls leave once when it is gone. The error
	// is what a client reads that is not let in; the gate counts it.
	Enter(r *http.Request) (leave func(), err error)
}

// Handler serves clients at GET /app/{key}.
type Handler struct {
	Deps
	config    *Config
	upgraders upgraders
	open      open
}

// NewHandler returns a handler that is ready to serve.
func NewHandler(c Config, d Deps) *Handler {
	if d.Secure == nil {
		d.Secure = func(r *http.Request) bool { return r.TLS != nil }
	}
	return &Handler{Deps: d, config: &c}
}

// ServeHTTP implements http.Handler. The app's key is the path value "key".
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, conn.Handshake{Key: r.PathValue("key")})
}

// NotFound serves the paths at which there is nothing. A client that asks for a
// WebSocket there gets one, as the only way to tell it, and is told so on it.
func (h *Handler) NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !wantsUpgrade(r) {
			http.NotFound(w, r)
			return
		}
		h.serve(w, r, conn.Handshake{NoRoute: true})
	})
}

// Wait returns when no connection is open, or with the error of ctx. To end the
// connections is up to the hub's sessions.
func (h *Handler) Wait(ctx context.Context) error { return h.open.wait(ctx) }

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, hs conn.Handshake) {
	if no := checkHandshake(r); no != nil {
		no.write(w)
		return
	}
	leave, err := h.enter(r)
	if err != nil {
		no := refusal{http.StatusTooManyRequests, http.Header{"Retry-After": {"1"}}, err.Error()}
		no.write(w)
		return
	}
	hs.Query = r.URL.Query()
	hs.Origin = r.Header.Get("Origin")
	hs.Secure = h.Secure(r)
	a, rejected := conn.Admit(r.Context(), h.Apps, hs)

	s, err := h.connect(w, r, a, rejected)
	if err != nil {
		leave()
		h.Log.Debug("connection lost", "err", err)
		return
	}
	h.open.enter()
	s.leave = leave
	client := h.client(r)
	s.contain(func() { s.admit(a, client, rejected) })
	go s.read()
}

// client is what plugins may want to know of a client.
func (h *Handler) client(r *http.Request) *hooks.Client {
	if !h.Hub.HasPlugins() {
		return nil
	}
	c := &hooks.Client{Origin: r.Header.Get("Origin"), Query: r.URL.RawQuery}
	if h.Address != nil {
		c.RemoteIP = h.Address(r).String()
	} else {
		c.RemoteIP, _, _ = net.SplitHostPort(r.RemoteAddr)
	}
	return c
}

func (h *Handler) enter(r *http.Request) (leave func(), err error) {
	if h.Gate == nil {
		return func() {}, nil
	}
	return h.Gate.Enter(r)
}

// connect makes a socket of a request. A client that is rejected gets one too,
// to be told why.
func (h *Handler) connect(w http.ResponseWriter, r *http.Request, a *app.App, rejected error) (*socket, error) {
	limit := rejectedLimit
	if rejected == nil {
		limit = messageLimit(a)
	}
	key := r.Header.Get("Sec-WebSocket-Key")
	deflate := h.config.Compression && acceptsDeflate(r.Header["Sec-Websocket-Extensions"])

	nc, early, err := hijack(w)
	if err != nil {
		no := refusal{http.StatusInternalServerError, nil, "This connection cannot be upgraded."}
		no.write(w)
		return nil, err
	}
	s := &socket{h: h, app: a, limit: limit, deflate: deflate, early: early}
	s.out.owner, s.out.config = s, h.config
	s.out.lane, s.link, s.nc = laneOf(nc, h.config.SendBuffer)
	if err := s.upgrade(h.upgraders.get(upgraderKey{limit, deflate}), key); err != nil {
		_ = s.link.Close() // it is lost already
		return nil, err
	}
	return s, nil
}

func messageLimit(a *app.App) int {
	if a.MaxMessageSize <= 0 {
		return defaultLimit
	}
	return a.MaxMessageSize
}

// admit makes a client of the hub of s, or tells it why not.
func (s *socket) admit(a *app.App, client *hooks.Client, rejected error) {
	h := s.h
	if rejected != nil {
		conn.Reject(a, h.Metrics, s, rejected, h.Log)
		return
	}
	c := conn.Open(context.Background(), a, client, h.Hub, h.Metrics, s, h.Wheel.Now(), h.Log)
	if c == nil {
		return
	}
	s.conn.Store(c)
	if next := c.Check(h.Wheel.Now()); next > 0 {
		h.Wheel.Add(next, c)
	}
}
