package server_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
	"github.com/revurb/revurb/core/server"
)

// quitter is a client that leaves as soon as it is told to.
type quitter struct{ quit func() }

func (quitter) Send(*frame.Frame) {}

func (q quitter) Close(int, string) { go q.quit() }

// The clients of a server that stops are told to go evenly over the time that
// they have, the first at once.
func TestStopSpreadsTheClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients, window = 200, time.Second
		a := app.Default(protocol.Pusher)
		a.ID, a.Key, a.Secret = appID, appKey, appSecret
		c := config.Default()
		c.Server.DrainTimeout, c.Apps, c.Hooks.CacheDir = window, app.List{a}, ""
		s, err := server.New(c, discard)
		must(t, err)
		told := make(chan time.Time, clients)
		for range clients {
			must(t, server.Admit(t.Context(), s, &a, &http.Request{RemoteAddr: "192.0.2.1:5"}, func(leave func()) server.Peer {
				return quitter{func() { told <- time.Now(); leave() }}
			}))
		}
		start := time.Now()
		if sum := server.Stop(context.Background(), s); sum.Disconnected != clients {
			t.Errorf("got %d disconnected, want %d", sum.Disconnected, clients)
		}
		close(told)
		n := 0
		for at := range told {
			if got, want := at.Sub(start), time.Duration(n)*window/clients; got != want {
				t.Errorf("client %d was told after %v, want %v", n, got, want)
			}
			n++
		}
	})
}
