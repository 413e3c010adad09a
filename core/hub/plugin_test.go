package hub_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/metrics"
	"github.com/revurb/revurb/core/occupancy"
	"github.com/revurb/revurb/core/presence"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// audience is a plugin that is told everything and asked nothing.
func audience() *hookstest.Plugin {
	return hookstest.New("listener", map[abi.Hook]hookstest.Func{
		abi.OnSubscribed: nil, abi.OnUnsubscribed: nil, abi.OnPresence: nil, abi.OnChannel: nil, abi.OnDisconnect: nil,
	})
}

// heard is what a plugin was told, a line each.
func heard(p *hookstest.Plugin) string {
	var lines []string
	for _, c := range p.Calls() {
		line := c.Hook.String()
		for _, s := range []string{c.Event.Channel, c.Event.UserID} {
			if s != "" {
				line += " " + s
			}
		}
		if c.Event.Flags&abi.Came != 0 {
			line += " came"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// bubble runs a test in a bubble, with a hub that has plugins.
func bubble(t *testing.T, p hooks.Plugin, test func(t *testing.T, h *hub.Hub, a *app.App, hs *hooks.Hooks)) {
	synctest.Test(t, func(t *testing.T) {
		hs := hookstest.Hooks(t, p)
		h, err := hub.New(hub.Ports{
			Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory),
			Occupancy: new(occupancy.Memory), Hooks: hs,
		}, metrics.New(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, _, a := newHub(t)
		test(t, h, a, hs)
	})
}

// A plugin hears who comes and goes; of channels and members it hears as a
// backend does, without short absences.
func TestPluginsAreTold(t *testing.T) {
	p := audience()
	bubble(t, p, func(t *testing.T, h *hub.Hub, a *app.App, _ *hooks.Hooks) {
		const room = "presence-room"
		s := connect(t, h, a, new(peer))
		subscribe(t, h, s, room, member("amy"))
		if err := h.Unsubscribe(t.Context(), s, room); err != nil {
			t.Fatal(err)
		}
		subscribe(t, h, s, room, member("amy"))
		h.Disconnect(t.Context(), s)
		pass(beyond)
		want := strings.Join([]string{
			"on_channel presence-room came",
			"on_presence presence-room amy came",
			"on_subscribed presence-room amy",
			"on_unsubscribed presence-room amy",
			"on_subscribed presence-room amy",
			"on_unsubscribed presence-room amy",
			"on_disconnect",
			"on_presence presence-room amy",
			"on_channel presence-room",
		}, "\n")
		if got := heard(p); got != want {
			t.Errorf("heard\n%s\nwant\n%s", got, want)
		}
	})
}

// A subscription that was not counted, because nobody wanted to know, is not
// taken back.
func TestPluginsThatComeLater(t *testing.T) {
	early := hookstest.New("early", map[abi.Hook]hookstest.Func{abi.OnSubscribed: nil})
	bubble(t, early, func(t *testing.T, h *hub.Hub, a *app.App, hs *hooks.Hooks) {
		amy, bob := connect(t, h, a, new(peer)), connect(t, h, a, new(peer))
		subscribe(t, h, amy, "news", "")
		late := audience()
		set, err := hooks.NewSet(hooks.NewMember(hooks.Entry{Plugin: late}, slog.New(slog.DiscardHandler)))
		if err != nil {
			t.Fatal(err)
		}
		hs.Swap(set)
		subscribe(t, h, bob, "news", "")
		h.Disconnect(t.Context(), amy)
		pass(beyond)
		h.Disconnect(t.Context(), bob)
		pass(beyond)
		want := "on_channel news came\non_subscribed news\non_unsubscribed news\non_disconnect\non_unsubscribed news\non_disconnect\non_channel news"
		if got := heard(late); got != want {
			t.Errorf("heard\n%s\nwant\n%s", got, want)
		}
	})
}

// The backend is told of a client event as it went out, and not of one that did
// not.
func TestWebhooksOfScreenedEvents(t *testing.T) {
	p := hookstest.New("censor", map[abi.Hook]hookstest.Func{
		abi.OnMessage: func(ctx context.Context, e *hooks.Event, v *hooks.Verdict) error {
			if e.Data == "psst" {
				return hookstest.Drop()(ctx, e, v)
			}
			return hookstest.Replace(func(v *hooks.Verdict) { v.Data = []byte("mild") })(ctx, e, v)
		},
	})
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		h, err := hub.New(hub.Ports{
			Broker: new(broker.Memory), Members: new(presence.Memory), Cache: new(cache.Memory),
			Occupancy: new(occupancy.Memory), Webhooks: b, Hooks: hookstest.Hooks(t, p),
		}, metrics.New(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		_, _, a := newHub(t)
		a.Webhooks = []app.Webhook{app.DefaultWebhook}
		s := connect(t, h, a, new(peer))
		subscribe(t, h, s, "private-chat", "")
		for _, data := range []string{"damn", "psst"} {
			raw, _ := json.Marshal(data)
			if err := h.ClientEvent(t.Context(), s, hub.Event{Channel: "private-chat", Name: "client-said", Data: raw}); err != nil {
				t.Fatal(err)
			}
		}
		b.want(t, "1 channel_occupied private-chat", fmt.Sprintf("1 client_event private-chat client-said(mild) from %s", s.ID))
		h.Disconnect(t.Context(), s)
		pass(beyond)
	})
}
