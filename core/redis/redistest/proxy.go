package redistest

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Proxy is the network between clients and a server, which it passes bytes
// to until told otherwise. Faults hold for the connections that there are and
// for new ones, until [Proxy.Heal]. When a method returns, its fault is in
// force.
type Proxy struct {
	tb     testing.TB
	server *Server
	port   int
	wg     sync.WaitGroup

	mu       sync.Mutex // guards what follows; taken before the mutex of a pipe
	listener net.Listener
	links    map[*link]bool
	weather  weather
}

// weather is what a proxy does to its connections.
type weather struct {
	there, back bool          // whether bytes pass to Redis, and from it
	delay       time.Duration // of a byte, in each direction
	rate        int           // bytes a second of one connection in each direction; 0 is no limit
	subscribers bool          // whether those that subscribe are held up, both ways
}

var fair = weather{there: true, back: true}

// NewProxy starts a proxy in front of s that ends with the test.
func NewProxy(tb testing.TB, s *Server) *Proxy {
	tb.Helper()
	p := &Proxy{tb: tb, server: s, links: map[*link]bool{}, weather: fair}
	p.port = freePort()
	for tries := 0; p.listen() != nil; tries++ { // somebody else was faster
		if tries == 10 {
			tb.Fatal("no port is free for a proxy")
		}
		p.port = freePort()
	}
	tb.Cleanup(func() {
		p.Cut()
		p.wg.Wait()
	})
	return p
}

// Addr returns host:port.
func (p *Proxy) Addr() string { return address(p.port) }

// URL returns the URL of the server, through the proxy.
func (p *Proxy) URL() string {
	return strings.Replace(p.server.URL(), p.server.Addr(), p.Addr(), 1)
}

// Conns returns how many connections pass through the proxy.
func (p *Proxy) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Latency makes a round trip longer by d, half of it in each direction. What
// is on its way already is not delayed.
func (p *Proxy) Latency(d time.Duration) {
	p.change(func(w *weather) { w.delay = d / 2 })
}

// Hang lets clients connect and send, but nothing passes: neither bytes nor
// the news that a connection was closed. [Proxy.Heal] delivers all that was
// held up.
func (p *Proxy) Hang() {
	p.change(func(w *weather) { w.there, w.back = false, false })
}

// Forget hangs the connections that there are, as something does on the way that
// has forgotten those that were idle. New ones pass.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.set(weather{})
	}
}

// OneWay lets pass what clients send, and holds up what Redis answers.
func (p *Proxy) OneWay() {
	p.change(func(w *weather) { w.there, w.back = true, false })
}

// OneWayBack lets pass what Redis says, and holds up what clients send.
func (p *Proxy) OneWayBack() {
	p.change(func(w *weather) { w.there, w.back = false, true })
}

// Bandwidth lets each connection pass so many bytes a second in each direction.
func (p *Proxy) Bandwidth(bytes int) {
	p.change(func(w *weather) { w.rate = bytes })
}

// BlackHole holds up, both ways, the connections over which somebody has
// subscribed to a channel, as if the network had forgotten them: neither end is
// told. New connections pass, even if somebody subscribes over them.
func (p *Proxy) BlackHole() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		if l.subscribed {
			l.lost = true
			l.set(p.weather)
		}
	}
}

// BlackHoleSubscribers is [Proxy.BlackHole] for new connections, too.
func (p *Proxy) BlackHoleSubscribers() {
	p.change(func(w *weather) { w.subscribers = true })
}

// Cut resets all connections and refuses new ones.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for l := range p.links {
		l.reset()
	}
	clear(p.links)
}

// Heal ends every fault.
func (p *Proxy) Heal() {
	p.tb.Helper()
	p.mu.Lock()
	for l := range p.links {
		l.lost = false
	}
	p.mu.Unlock()
	p.change(func(w *weather) { *w = fair })
	if err := p.listen(); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *Proxy) change(f func(*weather)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(&p.weather)
	for l := range p.links {
		l.set(p.weather)
	}
}

// see notes whether a client subscribes with b, before b passes.
func (p *Proxy) see(l *link, b []byte) {
	for _, name := range l.commands.scan(b) {
		switch name {
		case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE":
			p.mu.Lock()
			l.subscribed = true
			l.set(p.weather)
			p.mu.Unlock()
		}
	}
}

// listen accepts connections, unless it does so already.
func (p *Proxy) listen() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		return nil
	}
	l, err := net.Listen("tcp", p.Addr())
	if err != nil {
		return err
	}
	p.listener = l
	p.wg.Go(func() { p.accept(l) })
	return nil
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return // Cut
		}
		p.mu.Lock()
		l := newLink(c.(*net.TCPConn), p.weather)
		l.there.sees = func(b []byte) { p.see(l, b) }
		if p.listener != listener {
			l.reset()
		} else {
			p.links[l] = true
			p.wg.Go(func() {
				l.run(p.server.Addr())
				p.mu.Lock()
				delete(p.links, l)
				p.mu.Unlock()
			})
		}
		p.mu.Unlock()
	}
}
