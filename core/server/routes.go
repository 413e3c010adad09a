package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/revurb/revurb/core/admin"
	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/listen"
	"github.com/revurb/revurb/core/websocket"
)

// routes are what the public listener answers:
//
//	GET  {path}/app/{key}    WebSockets
//	     {path}/apps/...     the HTTP API
//	     {path}/users/...    the one endpoint of it that a library asks for so
//	GET  {path}/up, /up      health, as Laravel Reverb has it
//	GET  /live, /ready       health, see package admin
//
// What only the operator may see is not among them.
func (s *Server) routes(clients *websocket.Handler, backends *api.API) http.Handler {
	path := s.config.Server.Path
	mux := http.NewServeMux()
	mux.Handle("GET "+path+"/app/{key}", clients)
	backends.Register(mux, path)
	mux.Handle("GET /up", admin.Live())
	if path != "" {
		mux.Handle("GET "+path+"/up", admin.Live())
	}
	mux.Handle("GET /live", admin.Live())
	mux.Handle("GET /ready", admin.Ready(s.ready))
	mux.Handle("/", notFound(mux, clients.NotFound()))
	return lastIfUnframed(mux)
}

// notFound answers what no other route of mux does. A WebSocket is told so as
// one: its client sees nothing of an HTTP status.
func notFound(mux *http.ServeMux, noRoute http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
			noRoute.ServeHTTP(w, r)
			return
		}
		status, text := http.StatusNotFound, "Not found."
		if methods := methodsOf(mux, r); methods != nil {
			w.Header().Set("Allow", strings.Join(methods, ", "))
			status, text = http.StatusMethodNotAllowed, "Method not allowed."
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}

// methodsOf returns the methods for which mux has a route to the path of r.
func methodsOf(mux *http.ServeMux, r *http.Request) (methods []string) {
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		other := *r
		other.Method = method
		if _, pattern := mux.Handler(&other); pattern != "/" {
			methods = append(methods, method)
		}
	}
	return methods
}

// lastIfUnframed closes the connection after a request of which listen.Strict
// does not know where it ends: nobody has looked at what stands behind it.
func lastIfUnframed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, upgrade := r.Header["Upgrade"]
		if upgrade || r.TransferEncoding != nil {
			w.Header().Set("Connection", "close")
		}
		if upgrade {
			w = upgrading{w}
		}
		h.ServeHTTP(w, r)
	})
}

// upgrading hands out the connection itself, and not what listen.Strict has put
// around it.
type upgrading struct{ http.ResponseWriter }

// Unwrap is for http.ResponseController.
func (u upgrading) Unwrap() http.ResponseWriter { return u.ResponseWriter }

// Hijack implements http.Hijacker.
func (u upgrading) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, buffer, err := http.NewResponseController(u.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over connection: %w", err)
	}
	return listen.Unwrap(c), buffer, nil
}
