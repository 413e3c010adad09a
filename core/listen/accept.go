package listen

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// shortages are errors of accept(2) that pass when somebody else lets go of
// something.
var shortages = []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM}

const (
	minPause = 5 * time.Millisecond
	maxPause = time.Second
)

// patientListener waits while there is a shortage. Who wants to connect waits
// too, in the queue of the kernel.
type patientListener struct {
	net.Listener
	log    *slog.Logger
	closed chan struct{}
	close  func() error
}

// Patient returns a listener whose Accept waits for as long as there is a
// shortage of file descriptors or memory, instead of failing.
func Patient(ln net.Listener, log *slog.Logger) net.Listener {
	p := &patientListener{Listener: ln, log: log, closed: make(chan struct{})}
	p.close = sync.OnceValue(func() error {
		close(p.closed)
		return ln.Close()
	})
	return p
}

func (p *patientListener) Close() error { return p.close() }

// Accept waits for the next connection. A shortage is logged once a second for
// as long as it lasts.
func (p *patientListener) Accept() (net.Conn, error) {
	var logged time.Time
	pause := minPause
	for {
		c, err := p.Listener.Accept()
		if err == nil {
			if !logged.IsZero() {
				p.log.Info("accepting connections again")
			}
			return c, nil
		}
		if !isShortage(err) {
			return nil, err
		}
		if time.Since(logged) >= time.Second {
			logged = time.Now()
			p.log.Error("no connection can be accepted for now; raise the limit of open files (ulimit -n, LimitNOFILE)", "err", err)
		}
		select {
		case <-time.After(pause):
		case <-p.closed:
			return nil, net.ErrClosed
		}
		pause = min(2*pause, maxPause)
	}
}

func isShortage(err error) bool {
	for _, s := range shortages {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}
