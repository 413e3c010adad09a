package server_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/revurb/revurb/core/limit"
	"github.com/revurb/revurb/core/listen"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/server"
)

// A client that passed the listener before it was closed comes to a gate that is
// shut. Those who are inside are waited for, each of them once.
func TestGate(t *testing.T) {
	g := server.NewGate(limit.NewIPs(2, 0), listen.Proxies{}, metrics.New())
	r := &http.Request{RemoteAddr: "192.0.2.1:5"}
	empty := func() bool {
		select {
		case <-g.Empty():
			return true
		default:
			return false
		}
	}
	first, err := g.Enter(r)
	must(t, err)
	second, err := g.Enter(r)
	must(t, err)
	first()
	g.Close()
	if _, err := g.Enter(r); err == nil {
		t.Error("got someone in through a gate that is shut")
	}
	first()
	if empty() {
		t.Error("got an empty gate with someone inside")
	}
	second()
	if !empty() {
		t.Error("got nobody inside, and a gate that is not empty")
	}
}

// Whoever upgrades a connection gets the one that was accepted: what Strict has
// around it would cost memory for as long as a WebSocket is open.
func TestUpgradesGetTheConnectionItself(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	got := make(chan net.Conn, 1)
	s := &http.Server{
		ReadHeaderTimeout: patience,
		Handler: server.LastIfUnframed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
			}
			got <- c
		})),
	}
	go func() { _ = s.Serve(listen.Strict(ln, nil)) }()
	defer func() { _ = s.Close() }()
	c, err := net.Dial("tcp", ln.Addr().String())
	must(t, err)
	defer func() { _ = c.Close() }()
	_, err = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"))
	must(t, err)
	hijacked := <-got
	defer func() { _ = hijacked.Close() }()
	if _, ok := hijacked.(*net.TCPConn); !ok {
		t.Errorf("got a %T, want a *net.TCPConn", hijacked)
	}
}
