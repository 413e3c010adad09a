package websocket_test

import (
	"testing"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/protocol"
)

func TestClientThatIsNotAdmittedIsToldWhyAndClosed(t *testing.T) {
	path := "/app/" + testKey
	tests := []struct {
		name   string
		path   string
		header []string
		app    func(*app.App)
		code   int
	}{
		{"unknown key", "/app/unknown", nil, nil, 4001},
		{"app that is disabled", path, nil, func(a *app.App) { a.Enabled = false }, 4003},
		{"app that wants TLS", path, nil, func(a *app.App) { a.TLSOnly = true }, 4000},
		{"version that is no number", path + "?protocol=seven", nil, nil, 4006},
		{"version that is too old", path + "?protocol=3", nil, nil, 4007},
		{"version that is too new", path + "?protocol=8", nil, nil, 4007},
		{"no version where one is wanted", path, nil, func(a *app.App) { a.StrictProtocol = true }, 4008},
		{"origin that is not allowed", path, []string{"Origin: https://allowed.evil.com"}, func(a *app.App) { a.AllowedOrigins = []string{"allowed"} }, 4009},
		{"null origin", path, []string{"Origin: null"}, func(a *app.App) { a.AllowedOrigins = []string{"allowed"} }, 4009},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, setup{app: tt.app})
			c := s.upgrade(t, tt.path, nil, tt.header...)
			c.told(tt.code)
			if reason := c.closed(tt.code); reason == "" {
				t.Error("got no reason in the close frame")
			}
			if n := s.connections(t); n != 0 {
				t.Errorf("got %d connections, want 0", n)
			}
		})
	}
}

func TestConnectionQuotaIsGivenBackOnce(t *testing.T) {
	s := start(t, setup{app: func(a *app.App) { a.MaxConnections = 1 }})
	for range 3 {
		eventually(t, "there is room", func() bool { return s.connections(t) == 0 })
		c, _ := s.connect(t)
		over := s.upgrade(t, "/app/"+testKey, nil)
		over.told(4004)
		over.closed(4004)
		reset(c)
	}
}

func TestWhatARejectedClientSendsIsNotRead(t *testing.T) {
	s := start(t, setup{})
	c := s.upgrade(t, "/app/unknown", masked(finText, `{"event":"pusher:subscribe","data":{"channel":"news"}}`))
	c.told(4001)
	c.closed(4001)
	if got := s.metric(t, `revurb_messages_received_total{app="app-id"}`); got != 0 {
		t.Errorf("got %v messages received, want 0", got)
	}
}

func TestRejectedClientThatDoesNotAnswerIsReallyClosed(t *testing.T) {
	for _, with := range transports {
		t.Run(with.name, func(t *testing.T) {
			with.config = closeSoon
			s := start(t, with.setup)
			c := s.upgrade(t, "/app/unknown", nil)
			c.told(protocol.ErrAppNotFound.Code)
			c.closing(protocol.ErrAppNotFound.Code)
			c.ended()
		})
	}
}
