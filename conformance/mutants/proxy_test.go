package mutants

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy stands between a server and its clients, and does what a mutant says.
type proxy struct {
	m        *mutant
	backend  string // the address of the server
	listener net.Listener
	requests *handoff
	progress *progress // nil unless it matters what is read at a time

	wg sync.WaitGroup

	mu    sync.Mutex // guards what follows
	links []*link
	memo  map[string]string // for mutants that remember something
	conns map[net.Conn]bool
}

// link is a WebSocket that passes through a proxy.
type link struct {
	*proxy
	client, server net.Conn

	write   [2]sync.Mutex // to the client, to the server
	segment int           // how much of the handshake came at first
	gone    chan struct{} // closed when nothing more comes from the client
	deflate atomic.Bool   // compression is agreed on

	mu       sync.Mutex // guards what follows
	socketID string
	notes    map[string]string
}

// startProxy starts a proxy in front of backend. It stops with the test.
func startProxy(t *testing.T, m *mutant, backend string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{m: m, backend: backend, listener: ln, requests: newHandoff(ln.Addr()), memo: map[string]string{}, conns: map[net.Conn]bool{}}
	if m.reads != nil {
		p.progress = newProgress()
	}
	srv := &http.Server{Handler: http.HandlerFunc(p.serveHTTP)} //nolint:gosec // its clients are ours
	p.wg.Go(func() { _ = srv.Serve(p.requests) })
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = ln.Close()
		_ = srv.Close()
		p.mu.Lock()
		for c := range p.conns {
			_ = c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		c, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(c)
		if p.progress != nil {
			c = p.progress.of(c)
		}
		p.wg.Go(func() { p.serve(c) })
	}
}

// keep has c closed when the proxy stops.
func (p *proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

// transparent is p with a mutant that is none.
func (p *proxy) transparent() *proxy { return &proxy{m: new(mutant), backend: p.backend} }

// buffered is a connection of which something has been read.
type buffered struct {
	net.Conn
	br *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.br.Read(p) }

// CloseWrite is that of TCP.
func (b buffered) CloseWrite() error { return b.Conn.(interface{ CloseWrite() error }).CloseWrite() }

func (p *proxy) serve(c net.Conn) {
	b := buffered{c, bufio.NewReaderSize(c, 64<<10)}
	line, segment := b.firstLine()
	request := !bytes.Contains(line, []byte(" /app/"))
	if request && p.m.lax != nil && p.m.lax(b.head()) {
		const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
		_, _ = io.WriteString(c, ok+ok) // to what stands behind it, too
		_ = b.CloseWrite()
		_, _ = io.Copy(io.Discard, b)
		_ = c.Close()
		return
	}
	if request && p.m.http != nil {
		p.requests.give(b)
		return
	}
	defer c.Close() //nolint:errcheck // it has ended
	s, err := net.Dial("tcp", p.backend)
	if err != nil {
		return
	}
	defer s.Close() //nolint:errcheck // it has ended
	p.keep(s)
	l := &link{proxy: p, client: b, server: buffered{s, bufio.NewReaderSize(s, 64<<10)}, segment: segment, gone: make(chan struct{}), notes: map[string]string{}}
	if request {
		l.proxy = p.transparent()
	} else if p.m.reads != nil {
		l.client = buffered{c, bufio.NewReaderSize(&reads{l, b}, 64<<10)}
	}
	p.mu.Lock()
	p.links = append(p.links, l)
	p.mu.Unlock()
	defer p.forget(l)
	l.run()
}

// reads has what is read of a client go through the mutant's reads.
type reads struct {
	l    *link
	from io.Reader
}

func (r *reads) Read(p []byte) (int, error) {
	for {
		n, err := r.from.Read(p)
		if b := r.l.m.reads(r.l, p[:n]); len(b) > 0 || err != nil {
			return copy(p, b), err
		}
	}
}

// firstLine waits for the first line of a request, or what there is of it. The
// segment is how much came at once.
func (b buffered) firstLine() (line []byte, segment int) {
	for n := 1; ; n = b.br.Buffered() + 1 {
		_, err := b.br.Peek(n)
		line, _ = b.br.Peek(b.br.Buffered()) // it is all there
		if n == 1 {
			segment = len(line)
		}
		if err != nil || bytes.IndexByte(line, '\n') >= 0 {
			return line, segment
		}
	}
}

// head waits for the head of a request, as far as it fits into the buffer. A body
// that came with it is not part of it.
func (b buffered) head() string {
	for n := 1; ; n = b.br.Buffered() + 1 {
		_, err := b.br.Peek(n)
		all, _ := b.br.Peek(b.br.Buffered()) // it is all there
		head, _, whole := bytes.Cut(all, []byte("\r\n\r\n"))
		if err != nil || whole {
			return string(head)
		}
	}
}

func (p *proxy) forget(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = slices.DeleteFunc(p.links, func(x *link) bool { return x == l })
}

// others are the links but l.
func (l *link) others() (links []*link) {
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	for _, x := range l.links {
		if x != l {
			links = append(links, x)
		}
	}
	return links
}

func (l *link) run() {
	var wg sync.WaitGroup
	wg.Go(func() {
		l.pump(l.client.(buffered), l.server, l.m.head, l.m.up, 1)
		close(l.gone)
		if l.m.keep {
			return
		}
		_ = l.server.(buffered).CloseWrite() // it may have gone
	})
	l.pump(l.server.(buffered), l.client, l.m.answer, l.m.down, 0)
	if l.m.keep {
		<-l.gone
		return
	}
	_ = l.client.Close() // so that the other pump ends, too
	wg.Wait()
}

// pump carries what comes from one side to the other.
func (l *link) pump(from buffered, to net.Conn, head func(string) string, h hook, direction int) {
	text, err := readHead(from.br)
	if head != nil && err == nil {
		text = head(text)
	}
	if direction == 0 && strings.Contains(text, "permessage-deflate") {
		l.deflate.Store(true)
	}
	if _, werr := io.WriteString(to, text); werr != nil || err != nil {
		return
	}
	if h == nil && direction == 0 && l.m.up != nil {
		h = func(_ *link, f frame) []frame { return pass(f) } // for learn
	}
	if h == nil || direction == 0 && !strings.Contains(text, " 101 ") {
		_, _ = io.Copy(to, from) // as above
		return
	}
	for {
		f, err := readFrame(from.br)
		switch {
		case errors.Is(err, io.ErrShortBuffer) && h(l, f) == nil:
			_, _ = io.Copy(io.Discard, from) // as above
			return
		case errors.Is(err, io.ErrShortBuffer):
			_ = l.send(to, direction, f.raw)
			_, _ = io.Copy(to, from) // as above
			return
		case err != nil:
			_ = l.send(to, direction, f.raw)
			return
		}
		if direction == 0 {
			l.learn(f)
		}
		for _, out := range h(l, f) {
			if l.send(to, direction, out.bytes()) != nil {
				return
			}
		}
	}
}

func (l *link) send(to net.Conn, direction int, b []byte) error {
	l.write[direction].Lock()
	defer l.write[direction].Unlock()
	_, err := to.Write(b)
	return err
}

// toClient sends a message to the client beside what the server sends.
func (l *link) toClient(text string) {
	_ = l.send(l.client, 0, frame{fin: true, opcode: opText, payload: []byte(text)}.bytes()) // it may have gone
}

// learn notes the socket ID.
func (l *link) learn(f frame) {
	if !f.isText() || !bytes.Contains(f.payload, []byte("connection_established")) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.socketID = parse(f.payload).data().str("socket_id")
}

func (l *link) id() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.socketID
}

// note remembers something of a link, and returns what was there before.
func (l *link) note(key, value string) (before string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before = l.notes[key]
	l.notes[key] = value
	return before
}

// share remembers something for all links, and returns what was there before.
func (p *proxy) share(key, value string) (before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before = p.memo[key]
	p.memo[key] = value
	return before
}

// readHead reads the head of an HTTP message.
func readHead(br *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := br.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String(), err
		}
	}
}

// handoff is a listener of connections that were accepted elsewhere.
type handoff struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newHandoff(addr net.Addr) *handoff {
	return &handoff{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (h *handoff) give(c net.Conn) {
	select {
	case h.conns <- c:
	case <-h.done:
		_ = c.Close() // nobody wants it
	}
}

// Accept implements net.Listener.
func (h *handoff) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handoff) Close() error { h.once.Do(func() { close(h.done) }); return nil }

// Addr implements net.Listener.
func (h *handoff) Addr() net.Addr { return h.addr }
