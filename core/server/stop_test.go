package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
)

func TestStop(t *testing.T) {
	const clients, window = 200, time.Second
	s := serve(t, func(c *config.Config) {
		c.Server.DrainTimeout = window
		c.WebSocket.CloseTimeout = patience // for clients on a busy machine, who all answer
	})
	all := make([]*client, clients)
	for i := range all {
		all[i] = s.connect()
		switch i % 4 { // and half of them subscribe to nothing
		case 0:
			must(t, all[i].subscribe("news", nil))
		case 2:
			must(t, all[i].subscribe("presence-room", all[i].credentials("presence-room", `{"user_id":"one and all"}`)))
		}
	}

	// A request of which the server has seen only the headers.
	slow := s.tcp()
	_ = slow.SetDeadline(time.Now().Add(patience))
	const body = `{"name":"late","channel":"other","data":"{}"}`
	r, err := publish(s.server.URL(), body)
	must(t, err)
	var wire strings.Builder
	must(t, r.Write(&wire))
	head, _, _ := strings.Cut(wire.String(), "\r\n\r\n")
	_, err = io.WriteString(slow, head+"\r\n\r\n"+body[:10])
	must(t, err)
	// What came later than the headers has been answered: so have the headers been read.
	if status, _ := get(t, s.server.Addr(), "/ready"); status != http.StatusOK {
		t.Errorf("GET /ready: got %d, want 200", status)
	}

	s.stop()
	var wg sync.WaitGroup
	for i, c := range all {
		wg.Go(func() {
			if err := seeShutdown(c); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
			if err := c.answerClose(4200); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		})
	}
	eventually(t, "not ready", func() bool {
		status, _ := get(t, s.server.AdminAddr(), "/ready")
		return status == http.StatusServiceUnavailable
	})
	if status, _ := get(t, s.server.AdminAddr(), "/live"); status != http.StatusOK {
		t.Errorf("GET /live: got %d, want 200", status)
	}
	eventually(t, "refuse to be dialed", func() bool {
		c, err := net.Dial("tcp", s.server.Addr().String())
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	_, err = io.WriteString(slow, body[10:])
	must(t, err)
	res, err := http.ReadResponse(bufio.NewReader(slow), r)
	must(t, err)
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Errorf("the request in flight: got %d, want 200", res.StatusCode)
	}

	wg.Wait()
	if sum := s.wait(); sum.Disconnected != clients {
		t.Errorf("got %d disconnected, want %d", sum.Disconnected, clients)
	}
}

// seeShutdown reads until the close frame, which is to be 4200 and to follow
// upon an error that says so. Members may leave in between.
func seeShutdown(c *client) error {
	told := false
	for {
		m, err := c.read()
		switch {
		case err != nil:
			return err
		case m.Event == "pusher:error":
			if !strings.Contains(string(m.Data), `"code":4200`) {
				return fmt.Errorf("got the error %s, want 4200", m.Data)
			}
			told = true
		case m.close != 0 && (m.close != 4200 || !told):
			return fmt.Errorf("got a close frame %d (and an error before: %v), want 4200 after an error", m.close, told)
		case m.close != 0:
			return nil
		case told:
			return fmt.Errorf("got %+v after the error, want the close frame", m)
		}
	}
}

func TestStopWithoutClientsIsImmediate(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.Server.DrainTimeout = time.Hour })
	s.stop()
	if sum := s.wait(); sum.Disconnected != 0 {
		t.Errorf("got %d disconnected, want 0", sum.Disconnected)
	}
}

func TestStopEndsWhenTheLastClientHasGone(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.Server.DrainTimeout = time.Hour })
	first, second := s.connect(), s.connect()
	s.stop()
	told := make(chan error, 2)
	for _, c := range []*client{first, second} { // one of them is told at once, and the other in half an hour
		go func() { told <- seeShutdown(c) }()
	}
	must(t, <-told)
	eventually(t, "refuse to be dialed while one is still to be told", func() bool {
		c, err := s.dial()
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	_, _ = first.Close(), second.Close()
	if err := <-told; err == nil {
		t.Error("both were told at once")
	}
	if sum := s.wait(); sum.Disconnected != 1 {
		t.Errorf("got %d disconnected, want 1: the other left by itself", sum.Disconnected)
	}
}

func TestStopDoesNotWaitForClientsThatDoNotAnswer(t *testing.T) {
	s := serve(t, func(c *config.Config) { c.WebSocket.CloseTimeout = 100 * time.Millisecond })
	c := s.connect()
	s.stop()
	must(t, seeShutdown(c))
	if sum := s.wait(); sum.Disconnected != 1 {
		t.Errorf("got %d disconnected, want 1", sum.Disconnected)
	}
}

func TestStopWhileClientsKeepComing(t *testing.T) {
	s := serve(t, func(c *config.Config) {
		c.Server.DrainTimeout = 200 * time.Millisecond
		c.WebSocket.CloseTimeout = patience // for clients on a busy machine, who all leave
	})
	addr := s.server.Addr().String()
	var wg sync.WaitGroup
	var greeted atomic.Int64
	for range 8 {
		wg.Go(func() {
			for {
				nc, err := net.Dial("tcp", addr)
				if err != nil {
					return // refused, as it is to be
				}
				c, res, err := upgrade(nc, "/app/"+appKey+"?protocol=7", nil)
				if err != nil || res != nil { // neither is an answer that has clients hurry back
					_ = nc.Close()
					continue
				}
				// Who gets a WebSocket is greeted first, and told to go later.
				if err := c.greet(); err != nil {
					t.Errorf("got a WebSocket, and no greeting: %v", err)
				}
				greeted.Add(1)
				if err := seeShutdown(c); err != nil {
					t.Error(err)
				}
				_ = c.Close()
			}
		})
	}
	eventually(t, "eight connections", func() bool {
		n, _, _ := s.gauges()
		return n == 8
	})
	s.stop()
	wg.Wait()
	if sum := s.wait(); int64(sum.Disconnected) != greeted.Load() {
		t.Errorf("got %d disconnected, want %d, as many as were greeted", sum.Disconnected, greeted.Load())
	}
}
