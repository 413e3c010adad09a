package conformance

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

// Finding is what Doctor found out about a capability.
type Finding struct {
	Claim
	Has    bool
	Asked  bool   // false: only who runs the server can say
	Detail string // of what it does not have: how that shows
}

// Doctor tries which capabilities a target has.
func Doctor(ctx context.Context, t Target) []Finding {
	var found []Finding
	for _, claim := range Claims {
		f := Finding{Claim: claim}
		if probe, ok := probes[claim.Capability]; ok {
			f.Asked = true
			r := Runner{Target: t}
			c := Case{ID: "doctor." + string(claim.Capability), Level: Must, Run: probe}
			res := r.One(ctx, &c)
			f.Has = res.Outcome == Pass
			f.Detail = strings.TrimSpace(res.Failure.Message + " " + res.Failure.Actual)
		}
		found = append(found, f)
	}
	return found
}

// probes find out whether a server can do something at all, not whether it does
// it right: that is for the cases.
var probes = map[Capability]func(*T){
	CapClientEvents: func(t *T) {
		a, b := t.Connect(), t.Connect()
		channel := t.Name("private-")
		a.Subscribe(channel)
		b.Subscribe(channel)
		a.SendEvent("client-probe", channel, `"{}"`)
		b.Expect("client-probe", channel)
	},
	CapPresence:  func(t *T) { t.Connect().SubscribePresence(t.Name("presence-"), "1") },
	CapEncrypted: func(t *T) { t.Connect().Subscribe(t.Name("private-encrypted-")) },
	CapCache: func(t *T) {
		c, channel := t.Connect(), t.Name("cache-")
		c.Subscribe(channel)
		c.Expect("pusher:cache_miss", channel)
	},
	CapSubscriptionCount: func(t *T) {
		app := t.App()
		if counting, given := t.Target.Apps[Counting]; given {
			app = counting // the others may have it switched off
		}
		c, channel := t.ConnectTo(Dialing{App: app}), t.Name("")
		c.Subscribe(channel)
		c.Expect("pusher_internal:subscription_count", channel)
	},
	CapSignin:    func(t *T) { probeSignin(t, `{"id":"`+t.Name("u-")+`"}`) },
	CapWatchlist: func(t *T) { probeWatchlist(t) },
	CapTerminate: func(t *T) {
		t.OK(t.Do(Request{Method: http.MethodPost, Path: "/users/" + t.Name("u-") + "/terminate_connections"}))
	},
	CapBatch: func(t *T) {
		batch := map[string]any{"batch": []Publishing{{Name: "probe", Channel: t.Name(""), Data: "{}"}}}
		t.OK(t.Do(Request{Path: "/batch_events", Body: t.JSON(batch)}))
	},
	CapConnections: func(t *T) { t.Get("/connections") },
	CapReverb:      func(t *T) { t.OK(t.Do(Request{Root: true, Path: "/up"})); t.Get("/connections") },
	CapMemberLimits: func(t *T) {
		c := t.Connect()
		c.SendPresence(t.Name("presence-"), fmt.Sprintf(`{"user_id":%q}`, strings.Repeat("u", 129)))
		c.ExpectError("")
	},
	CapClientEventRate: func(t *T) {
		c, channel := t.Connect(), t.Name("private-")
		c.Subscribe(channel)
		for range 25 {
			c.SendEvent("client-probe", channel, `"{}"`)
		}
		c.ExpectError("", 4301)
	},
	CapCompression: func(t *T) {
		c := t.Dial(Dialing{Header: http.Header{"Sec-Websocket-Extensions": {"permessage-deflate"}}})
		if got := c.Raw.Response.Header.Get("Sec-WebSocket-Extensions"); !strings.Contains(got, "permessage-deflate") {
			t.Fatalf("the handshake is answered without permessage-deflate")
		}
	},
}

func probeSignin(t *T, user string) *Conn {
	c := t.Connect()
	c.Sendf(`{"event":"pusher:signin","data":{"auth":%s,"user_data":%s}}`, client.UserAuth(c.app.Key, c.app.Secret, c.SocketID, user), user)
	c.Expect("pusher:signin_success", "")
	return c
}

func probeWatchlist(t *T) {
	c := probeSignin(t, fmt.Sprintf(`{"id":%q,"watchlist":[%q]}`, t.Name("u-"), t.Name("u-")))
	c.Expect("pusher_internal:watchlist_events", "")
}
