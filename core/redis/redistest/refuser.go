package redistest

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// A Refuser stands before a server, or a sentinel, and takes connections but
// refuses a step of their set-up, or any other command, with a reply of the
// test's choice. It speaks plain RESP2 and RESP3, no TLS.
type Refuser struct {
	tb     testing.TB
	server *Server
	ln     net.Listener
	wg     sync.WaitGroup

	mu       sync.Mutex // guards what follows
	closed   bool
	conns    map[*refused]bool
	reply    string
	commands map[string]bool
	count    int
}

// NewRefuser starts a refuser in front of s that ends with the test. At first it
// refuses nothing.
func NewRefuser(tb testing.TB, s *Server) *Refuser {
	tb.Helper()
	r := &Refuser{tb: tb, server: s, conns: map[*refused]bool{}}
	var err error
	if r.ln, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		tb.Fatal(err)
	}
	r.wg.Go(r.accept)
	tb.Cleanup(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		_ = r.ln.Close()
		r.Cut()
		r.wg.Wait()
	})
	return r
}

// Addr returns host:port.
func (r *Refuser) Addr() string { return r.ln.Addr().String() }

// URL returns the URL of the server, through the refuser.
func (r *Refuser) URL() string {
	return strings.Replace(r.server.URL(), r.server.Addr(), r.Addr(), 1)
}

// Refuse has the given commands answered with reply, such as "NOAUTH
// Authentication required.", and cuts all connections, so that they are set up
// anew. A command is a name, "HELLO", or a name and its subcommand, "CLUSTER
// SLOTS". Without commands, whoever connects is told reply and cut off, as by a
// server that has too many clients.
func (r *Refuser) Refuse(reply string, commands ...string) {
	r.RefuseKept(reply, commands...)
	r.Cut()
}

// RefuseKept is Refuse for connections that are there and stay: what they send
// from now on is refused.
func (r *Refuser) RefuseKept(reply string, commands ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply, r.count, r.commands = reply, 0, map[string]bool{}
	for _, name := range commands {
		r.commands[strings.ToUpper(name)] = true
	}
}

// Allow ends refusing.
func (r *Refuser) Allow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reply, r.commands = "", nil
}

// Refused returns how many times something was refused since the last Refuse.
func (r *Refuser) Refused() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}

// Cut closes all connections.
func (r *Refuser) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		c.close()
	}
}

// verdict returns the reply with which a command is refused; without args, a
// connection.
func (r *Refuser) verdict(args []string) (reply string, refuse bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.reply == "":
	case len(args) == 0:
		refuse = len(r.commands) == 0
	default:
		name := strings.ToUpper(args[0])
		refuse = r.commands[name] || len(args) > 1 && r.commands[name+" "+strings.ToUpper(args[1])]
	}
	if refuse {
		r.count++
	}
	return r.reply, refuse
}

func (r *Refuser) accept() {
	for {
		client, err := r.ln.Accept()
		if err != nil {
			return // the test has ended
		}
		if reply, refuse := r.verdict(nil); refuse {
			_, _ = client.Write([]byte("-" + reply + "\r\n"))
			_ = client.Close()
			continue
		}
		r.serve(client)
	}
}

func (r *Refuser) serve(client net.Conn) {
	server, err := net.Dial("tcp", r.server.Addr())
	if err != nil {
		_ = client.Close()
		return
	}
	c := newRefused(r, client, server)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.close()
		return
	}
	r.conns[c] = true
	r.wg.Go(func() {
		c.run()
		r.mu.Lock()
		delete(r.conns, c)
		r.mu.Unlock()
	})
}
