package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// leftFor is how long a server that is the master no more is not taken for it
	// again, when a sentinel says so that has not noticed.
	leftFor = 10 * time.Second

	// switchPause is for how long nobody publishes after another server has become
	// the master. What others have still published on the old one is heard first, for
	// strayFor, and delivered before that is over: so all nodes hear both in one order.
	switchPause = 800 * time.Millisecond
	strayFor    = 500 * time.Millisecond

	// drainFor is how long what is on its way to the old master may take.
	drainFor = time.Second
)

// masters is which server the sentinels say is the master. All of a node's
// connections go where it says, from the same moment on.
type masters struct {
	// Static after init.
	node    *Node
	options redis.UniversalOptions // with which sentinels are asked
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex // guards what follows
	addr  string     // "" while it is not known
	known chan struct{}
	since time.Time            // when it became the master; zero if it was so from the beginning
	left  map[string]time.Time // masters no more, and since when
	said  map[string]saying    // by sentinel, what it has said last
	conns map[*masterConn]bool
	errs  map[string]error // of sentinels that do not say
}

// init returns the options for clients of the master.
func (m *masters) init(n *Node, o redis.UniversalOptions) redis.UniversalOptions {
	m.node, m.options = n, o
	m.known, m.left, m.said = make(chan struct{}), map[string]time.Time{}, map[string]saying{}
	m.conns, m.errs = map[*masterConn]bool{}, map[string]error{}
	if m.dial = o.Dialer; m.dial == nil {
		m.dial = redis.NewDialer(&redis.Options{DialTimeout: o.DialTimeout, TLSConfig: o.TLSConfig, DialerRetries: 1})
	}
	o.Addrs, o.MasterName, o.Dialer = []string{n.config.Master}, "", m.connect
	return o
}

// saying is who the master is, and since which failover: each has a number.
type saying struct {
	addr  string
	epoch int64
	at    time.Time
}

// told is told by a sentinel who the master is, and since which failover.
func (m *masters) told(sentinel, addr string, epoch int64) {
	m.mu.Lock()
	delete(m.errs, sentinel)
	m.said[sentinel] = saying{addr, epoch, time.Now()}
	is := m.addr
	stale := time.Since(m.left[addr]) < leftFor || m.outdated(addr, epoch)
	if is == "" {
		m.addr = addr
		close(m.known)
	}
	m.mu.Unlock()
	if is != "" && is != addr && !stale {
		m.switched(is, addr)
	}
}

// outdated reports whether another sentinel knows of a later failover: one that was
// paused, or away, says for a while who the master was before. It is called with mu
// held.
func (m *masters) outdated(addr string, epoch int64) bool {
	for _, s := range m.said {
		if s.addr != addr && s.epoch > epoch && time.Since(s.at) < leftFor {
			return true
		}
	}
	return false
}

// failed is told why a sentinel does not say.
func (m *masters) failed(sentinel string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.errs[sentinel] = err
}

// switched is told that another server has become the master.
func (m *masters) switched(was, is string) {
	m.mu.Lock()
	if m.addr != was || was == is {
		m.mu.Unlock()
		return
	}
	m.addr, m.since = is, time.Now()
	m.left[was] = m.since
	delete(m.left, is)
	var old []*masterConn
	for c := range m.conns {
		if c.addr != is {
			old = append(old, c)
		}
	}
	m.mu.Unlock()
	m.node.log.Info("a failover: another Redis is the master", "was", was, "is", is)
	for _, c := range old {
		c.leave()
	}
	m.node.switched(fmt.Errorf("the sentinels have another master: %s", is))
}

// strays reports whether what the old master still sends is to be delivered. What
// comes later it has lost, with all else that the new one does not know.
func (m *masters) strays() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.since.IsZero() && time.Since(m.since) < strayFor
}

// pause is how long it is until events may be published again.
func (m *masters) pause() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.since.IsZero() {
		return 0
	}
	return max(0, switchPause-time.Since(m.since))
}

// connect makes a connection to the master, whatever address it is given.
func (m *masters) connect(ctx context.Context, network, _ string) (net.Conn, error) {
	addr, err := m.current(ctx)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: err}
	}
	c, err := m.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	if ctx.Value(linkKey{}) != nil { // it is replaced, and heard until then
		return c, nil
	}
	mc := &masterConn{Conn: c, addr: addr, masters: m}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr != addr {
		_ = c.Close()
		return nil, &net.OpError{Op: "dial", Net: network, Err: errReplaced}
	}
	m.conns[mc] = true
	return mc, nil
}

// current returns the master. It waits for the first sentinel that knows, for as
// long as making a connection may take.
func (m *masters) current(ctx context.Context) (string, error) {
	timeout := time.NewTimer(dialTimeout)
	defer timeout.Stop()
	select {
	case <-m.known:
	case <-ctx.Done():
	case <-timeout.C:
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.addr != "" {
		return m.addr, nil
	}
	err := errSentinels
	for _, why := range m.errs {
		err = fmt.Errorf("%w: %w", err, why)
	}
	return "", err
}

// errSentinels is that no sentinel says who the master is.
var errSentinels = errors.New("the sentinels do not say who the master is")
