// Package listen is where connections come from: sockets, certificates, and
// who is at the other end. It is the only package that watches files.
//
// It knows nothing of what is said over a connection, but for what it takes to
// tell where one HTTP request ends and the next begins.
package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/revurb/revurb/core/config"
)

// keepAlive finds out about clients whose machine is gone before they have
// said anything; those that have are pinged. Go's default is a probe every 15
// seconds, which is 3,300 packets a second for 50,000 idle clients.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 75 * time.Second, Interval: 15 * time.Second, Count: 4}

// Open listens where c says: on a Unix socket if it names one, else on host
// and port. Accept of the listener outlives a shortage of file descriptors.
//
// The error says what to do.
func Open(ctx context.Context, c config.Server, log *slog.Logger) (net.Listener, error) {
	if c.UnixSocket != "" {
		ln, err := openUnix(ctx, c.UnixSocket)
		if err != nil {
			return nil, fmt.Errorf("listen on unix socket %s: %w", c.UnixSocket, err)
		}
		return Patient(ln, log), nil
	}
	addr := net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
	lc := net.ListenConfig{KeepAliveConfig: keepAlive}
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, advise(err))
	}
	return Patient(ln, log), nil
}

// advice is what to do about an error of the system.
var advice = []struct {
	err    error
	advice string
}{
	{syscall.EADDRINUSE, "address already in use: is another revurb running? Stop it, or choose another port with --port"},
	{syscall.EACCES, "not allowed: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); choose another port with --port"},
	{syscall.EADDRNOTAVAIL, "no network interface has this address: use --host 0.0.0.0 for all of them, or --host 127.0.0.1 for this machine only"},
}

// advise returns err with what to do about it. It is still err to errors.Is.
func advise(err error) error {
	for _, a := range advice {
		if errors.Is(err, a.err) {
			return &advised{err, a.advice}
		}
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return &advised{err, fmt.Sprintf("there is no host %q: use an IP address, such as 0.0.0.0", dns.Name)}
	}
	return err
}

type advised struct {
	error
	advice string
}

func (a *advised) Error() string { return a.advice }
func (a *advised) Unwrap() error { return a.error }
