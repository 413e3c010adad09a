package main

import (
	"strings"
	"testing"

	"github.com/revurb/revurb/core/app"
)

func TestEndpoint(t *testing.T) {
	tests := map[string]struct {
		url, hostname, path string
		pusherJS            string
		dotenv              []string
	}{
		"of an address": {
			url:      "http://127.0.0.1:8080",
			pusherJS: "new Pusher('k', { wsHost: '127.0.0.1', wsPort: 8080, forceTLS: false, enabledTransports: ['ws'], cluster: 'mt1' })",
			dotenv:   []string{"REVERB_HOST=127.0.0.1", "REVERB_PORT=8080", "REVERB_SCHEME=http"},
		},
		"with TLS and a path": {
			url:      "https://ws.example:8443/ws",
			pusherJS: "new Pusher('k', { wsHost: 'ws.example', wssPort: 8443, wsPath: '/ws', forceTLS: true, enabledTransports: ['wss'], cluster: 'mt1' })",
			dotenv:   []string{"REVERB_HOST=ws.example", "REVERB_PORT=8443", "REVERB_SCHEME=https", "REVERB_SERVER_PATH=/ws"},
		},
		"of IPv6 keeps its brackets": {
			url:      "http://[::1]:8080",
			pusherJS: "new Pusher('k', { wsHost: '[::1]', wsPort: 8080, forceTLS: false, enabledTransports: ['ws'], cluster: 'mt1' })",
			dotenv:   []string{"REVERB_HOST=[::1]", "REVERB_PORT=8080"},
		},
		"behind a socket is the proxy's": {
			url: "unix:/run/revurb.sock", hostname: "ws.example", path: "/ws",
			pusherJS: "new Pusher('k', { wsHost: 'ws.example', wsPort: 80, wsPath: '/ws', forceTLS: false, enabledTransports: ['ws'], cluster: 'mt1' })",
			dotenv:   []string{"REVERB_HOST=ws.example", "REVERB_PORT=80", "REVERB_SERVER_PATH=/ws"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e, err := endpointOf(test.url, test.hostname, test.path)
			if err != nil {
				t.Fatal(err)
			}
			a := app.App{ID: "1", Key: "k", Secret: "s"}
			if got := e.pusherJS(a); got != test.pusherJS {
				t.Errorf("got\n%s\nwant\n%s", got, test.pusherJS)
			}
			for _, line := range test.dotenv {
				if !strings.Contains("\n"+e.dotenv(a)+"\n", "\n"+line+"\n") {
					t.Errorf("got\n%s\nwant the line %s", e.dotenv(a), line)
				}
			}
		})
	}
}
