package server

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"

	"github.com/revurb/revurb/core/admin"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/listen"
)

// Listen loads the plugins and opens the listeners. Nothing is accepted before Serve, but clients
// that connect wait for it.
func (s *Server) Listen() error {
	ctx := context.Background()
	if err := s.loadPlugins(ctx); err != nil {
		return err
	}
	if err := s.listen(ctx); err != nil {
		_ = s.loader.Close(ctx) // nobody has called them yet
		return err
	}
	return nil
}

func (s *Server) listen(ctx context.Context) error {
	ln, err := listen.Open(ctx, s.config.Server, s.log)
	if err != nil {
		return err
	}
	if err := s.listenAdmin(ctx); err != nil {
		_ = ln.Close()
		return err
	}
	s.listener = ln
	return nil
}

// listenAdmin goes without the admin listener if its address is taken and
// nobody has asked for it: a second server on the machine is to start, too.
func (s *Server) listenAdmin(ctx context.Context) (err error) {
	if s.config.Admin.Listen == "" {
		return nil
	}
	s.admin, err = admin.Listen(ctx, s.config.Admin, s.metrics, s.ready, s.adminPlugins(), s.log)
	if errors.Is(err, syscall.EADDRINUSE) && s.config.Admin == config.Default().Admin {
		s.log.Warn("going without metrics and profiles: the address is in use", "admin.listen", s.config.Admin.Listen)
		return nil
	}
	return err
}

// Addr is where clients connect to, once the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// AdminAddr is where the admin endpoints are; nil if there are none.
func (s *Server) AdminAddr() net.Addr {
	if s.admin == nil {
		return nil
	}
	return s.admin.Addr()
}

// URL is how this machine reaches the server, as http://127.0.0.1:8080/ws, or,
// for a Unix socket, unix:/run/revurb.sock.
func (s *Server) URL() string {
	addr, ok := s.Addr().(*net.TCPAddr)
	if !ok {
		return "unix:" + s.Addr().String()
	}
	host := s.config.Server.Hostname
	switch {
	case host != "":
	case addr.IP.IsUnspecified():
		host = "127.0.0.1"
	default:
		host = addr.IP.String()
	}
	scheme := "http"
	if s.cert != nil {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(addr.Port)) + s.config.Server.Path
}

// ready says whether new clients are welcome: not while the server stops, and not
// while the cluster cannot be reached.
func (s *Server) ready() admin.Health {
	switch {
	case s.stopping.Load():
		return admin.Stopping
	case s.node != nil && !s.node.Ready():
		return admin.NoRedis
	}
	return admin.OK
}
