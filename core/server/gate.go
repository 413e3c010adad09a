package server

import (
	"net/http"
	"sync"

	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/listen"
	"github.com/revurb/revurb/core/metrics"
)

// gate is where every WebSocket comes in, and goes out again: it limits how
// many come from one address, and knows when the last one has gone.
type gate struct {
	// Static after construction.
	ips     *limit.IPs
	proxies listen.Proxies
	metrics *metrics.Metrics
	empty   chan struct{} // closed when the gate is shut and nobody is inside

	mu     sync.Mutex // guards what follows
	shut   bool
	inside int
}

func newGate(ips *limit.IPs, proxies listen.Proxies, m *metrics.Metrics) *gate {
	return &gate{ips: ips, proxies: proxies, metrics: m, empty: make(chan struct{})}
}

// refusal is why a client is not let in, as it reads it. It is no close code:
// who is told to reconnect while he is refused does so without end.
type refusal string

func (r refusal) Error() string { return string(r) }

// refusals has the text for each limit of limit.IPs.
var refusals = map[string]refusal{
	"ip_connections": "Too many connections from this address.",
	"ip_rate":        "Too many new connections from this address: try again in a second.",
}

const stopping refusal = "The server is stopping."

// Enter implements websocket.Gate.
func (g *gate) Enter(r *http.Request) (leave func(), err error) {
	leaveIP, exceeded := g.ips.Enter(g.proxies.Client(r))
	if exceeded != "" {
		g.metrics.Refused(exceeded)
		return nil, refusals[exceeded]
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		leaveIP()
		g.metrics.Refused("stopping")
		return nil, stopping
	}
	g.inside++
	return sync.OnceFunc(func() {
		leaveIP()
		g.leave()
	}), nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	g.checkEmpty()
}

// close lets nobody in anymore. It may be called once.
func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	g.checkEmpty()
}

func (g *gate) checkEmpty() {
	if g.shut && g.inside == 0 {
		close(g.empty)
	}
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}
