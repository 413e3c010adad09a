package hooks_test

import (
	"errors"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

var errBroken = errors.New("trap: unreachable")

func data(s string) hookstest.Func {
	return hookstest.Replace(func(v *hooks.Verdict) { v.Data = []byte(s) })
}

// message returns a plugin that does f when it is asked of a message.
func message(name string, f hookstest.Func) *hookstest.Plugin {
	return hookstest.New(name, map[abi.Hook]hookstest.Func{abi.OnMessage: f})
}

// denied returns the *hooks.Denied that err is.
func denied(t *testing.T, err error) *hooks.Denied {
	t.Helper()
	var d *hooks.Denied
	if !errors.As(err, &d) {
		t.Fatalf("got error %v, want a *hooks.Denied", err)
	}
	return d
}

func TestAsk(t *testing.T) {
	type f = hookstest.Func
	for name, test := range map[string]struct {
		does   []f
		status abi.Status
		denied string   // the message, if it is denied
		data   string   // at last
		asked  []string // the data that each plugin is given, "-" if it is not asked
	}{
		"all are asked in their order while none has an opinion": {
			[]f{hookstest.Continue(), nil, hookstest.Continue()}, abi.Continue, "", "hi", []string{"hi", "hi", "hi"},
		},
		"nobody is asked after one has allowed": {
			[]f{hookstest.Continue(), hookstest.Allow(), hookstest.Deny("no")}, abi.Allow, "", "hi", []string{"hi", "hi", "-"},
		},
		"nobody is asked after one has denied": {
			[]f{hookstest.Deny("no"), hookstest.Allow()}, abi.Deny, "no", "hi", []string{"hi", "-"},
		},
		"a denial without a message has the usual one": {
			[]f{hookstest.Deny("")}, abi.Deny, "Message refused", "hi", []string{"hi"},
		},
		"nobody is asked after one has dropped": {
			[]f{hookstest.Drop(), hookstest.Allow()}, abi.Drop, "", "hi", []string{"hi", "-"},
		},
		"later plugins see the rewrite": {
			[]f{data("a"), hookstest.Continue(), data("b"), nil}, abi.Continue, "", "b", []string{"hi", "a", "a", "b"},
		},
		"a denial after a rewrite denies": {
			[]f{data("a"), hookstest.Deny("no")}, abi.Deny, "no", "a", []string{"hi", "a"},
		},
		"a yes may rewrite, too": {
			[]f{hookstest.AllowWith(func(v *hooks.Verdict) { v.Data = []byte("a") })}, abi.Allow, "", "a", []string{"hi"},
		},
		"data may be replaced with nothing": {
			[]f{hookstest.Replace(func(v *hooks.Verdict) { v.Data = []byte{} }), nil}, abi.Continue, "", "", []string{"hi", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var entries []hooks.Entry
			var plugins []*hookstest.Plugin
			for i, f := range test.does {
				plugins = append(plugins, message(string(rune('a'+i)), f))
				entries = append(entries, hooks.Entry{Plugin: plugins[i]})
			}
			hs := hookstest.Entries(t, entries...)
			e := hooks.Event{App: "app", Channel: "room", Data: "hi", HasData: true}
			status, err := hs.Ask(t.Context(), abi.OnMessage, &e)
			if status != test.status {
				t.Errorf("got %v, want %v", status, test.status)
			}
			if test.denied == "" && err != nil {
				t.Error(err)
			}
			if test.denied != "" {
				if d := denied(t, err); d.Message != test.denied || d.Failed || d.Plugin != plugins[len(calledOf(plugins))-1].Name() {
					t.Errorf("got %+v, want the message %q", d, test.denied)
				}
			}
			if e.Data != test.data || !e.HasData {
				t.Errorf("the data is %q at last, want %q", e.Data, test.data)
			}
			for i, p := range plugins {
				got := "-"
				if calls := p.Calls(); len(calls) == 1 {
					got = calls[0].Event.Data
				} else if len(calls) > 1 {
					t.Errorf("plugin %d was asked %d times", i, len(calls))
				}
				if got != test.asked[i] {
					t.Errorf("plugin %d was given %q, want %q", i, got, test.asked[i])
				}
			}
		})
	}
}

// calledOf returns those of plugins that were called.
func calledOf(plugins []*hookstest.Plugin) (called []*hookstest.Plugin) {
	for _, p := range plugins {
		if len(p.Calls()) > 0 {
			called = append(called, p)
		}
	}
	return called
}

func TestReplaceFillsTheEvent(t *testing.T) {
	hs := hookstest.Hooks(t, message("a", hookstest.Replace(func(v *hooks.Verdict) {
		v.Event, v.Data, v.UserID, v.UserInfo = []byte("e"), []byte("d"), []byte("u"), []byte("{}")
	})))
	e := hooks.Event{App: "app", Channel: "room", SocketID: "1.2", Name: "x"}
	if _, err := hs.Ask(t.Context(), abi.OnMessage, &e); err != nil {
		t.Fatal(err)
	}
	want := hooks.Event{
		App: "app", Channel: "room", SocketID: "1.2", Name: "e", Data: "d", HasData: true, UserID: "u", UserInfo: "{}",
	}
	if e != want {
		t.Errorf("got %+v, want %+v", e, want)
	}
}

func TestEveryDenialHasAMessageAndItsCode(t *testing.T) {
	for h := range abi.OnMessage + 1 {
		p := hookstest.New("a", map[abi.Hook]hookstest.Func{h: hookstest.AllowWith(func(v *hooks.Verdict) {
			v.Status, v.Code = abi.Deny, 4301
		})})
		hs := hookstest.Hooks(t, p)
		_, err := hs.Ask(t.Context(), h, &hooks.Event{App: "app"})
		if d := denied(t, err); d.Message == "" || d.Code != 4301 || d.Plugin != "a" {
			t.Errorf("%v: got %+v, want a message, code 4301 and plugin a", h, d)
		}
	}
}

func TestFilters(t *testing.T) {
	event := hooks.Event{App: "app", Channel: "private-room"}
	with := func(change func(e *hooks.Event)) hooks.Event {
		e := event
		change(&e)
		return e
	}
	fromAPI := with(func(e *hooks.Event) { e.Flags = abi.FromAPI | abi.InBatch })
	for name, test := range map[string]struct {
		entry hooks.Entry
		hook  abi.Hook
		event hooks.Event
		asked bool
	}{
		"no filter is everything":                 {hooks.Entry{}, abi.OnMessage, event, true},
		"its app":                                 {hooks.Entry{Apps: []string{"other", "app"}}, abi.OnMessage, event, true},
		"another app":                             {hooks.Entry{Apps: []string{"other"}}, abi.OnMessage, event, false},
		"* is all apps":                           {hooks.Entry{Apps: []string{"*"}}, abi.OnMessage, event, true},
		"its channels":                            {hooks.Entry{Channels: []string{"x", "private-*"}}, abi.OnMessage, event, true},
		"other channels":                          {hooks.Entry{Channels: []string{"presence-*"}}, abi.OnMessage, event, false},
		"its app but not its channel":             {hooks.Entry{Apps: []string{"app"}, Channels: []string{"x"}}, abi.OnMessage, event, false},
		"its channel but not its app":             {hooks.Entry{Apps: []string{"x"}, Channels: []string{"private-room"}}, abi.OnMessage, event, false},
		"no channel passes every channel filter":  {hooks.Entry{Channels: []string{"x"}}, abi.OnConnect, hooks.Event{App: "app"}, true},
		"no channel does not pass the app filter": {hooks.Entry{Apps: []string{"x"}}, abi.OnConnect, hooks.Event{App: "app"}, false},
		"client's messages, a client's":           {hooks.Entry{Messages: hooks.ClientMessages}, abi.OnMessage, event, true},
		"client's messages, the API's":            {hooks.Entry{Messages: hooks.ClientMessages}, abi.OnMessage, fromAPI, false},
		"the API's messages, a client's":          {hooks.Entry{Messages: hooks.APIMessages}, abi.OnMessage, event, false},
		"the API's messages, the API's":           {hooks.Entry{Messages: hooks.APIMessages}, abi.OnMessage, fromAPI, true},
		"all messages, the API's":                 {hooks.Entry{}, abi.OnMessage, fromAPI, true},
		"the source filters messages alone":       {hooks.Entry{Messages: hooks.APIMessages}, abi.OnSubscribe, event, true},
		"a hook that it has and is configured":    {hooks.Entry{Hooks: []abi.Hook{abi.OnMessage}}, abi.OnMessage, event, true},
		"a hook that it has and is not wanted of": {hooks.Entry{Hooks: []abi.Hook{abi.OnConnect}}, abi.OnMessage, event, false},
		"a hook that is configured and it lacks":  {hooks.Entry{Hooks: []abi.Hook{abi.OnSignin}}, abi.OnSignin, event, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := hookstest.New("a", map[abi.Hook]hookstest.Func{
				abi.OnMessage: hookstest.Deny("no"), abi.OnConnect: hookstest.Deny("no"), abi.OnSubscribe: hookstest.Deny("no"),
			})
			test.entry.Plugin = p
			hs := hookstest.Entries(t, test.entry)
			e := test.event
			_, err := hs.Ask(t.Context(), test.hook, &e)
			if asked := len(p.Calls()) == 1; asked != test.asked || (err != nil) != test.asked {
				t.Errorf("asked %d times, with error %v; want it asked: %v", len(p.Calls()), err, test.asked)
			}
		})
	}
}

func TestFailurePolicies(t *testing.T) {
	for h := range abi.OnMessage + 1 {
		for policy, want := range map[hooks.Policy]abi.Status{
			hooks.FailDeny: abi.Deny, hooks.FailAllow: abi.Allow, hooks.FailSkip: abi.Continue,
		} {
			bad := hookstest.New("bad", map[abi.Hook]hookstest.Func{h: hookstest.Fail(errBroken)})
			next := hookstest.New("next", map[abi.Hook]hookstest.Func{h: nil})
			entry := hooks.Entry{Plugin: bad}
			entry.OnError = [abi.OnMessage + 1]hooks.Policy{hooks.FailSkip, hooks.FailSkip, hooks.FailSkip, hooks.FailSkip, hooks.FailSkip}
			entry.OnError[h] = policy
			hs := hookstest.Entries(t, entry, hooks.Entry{Plugin: next})
			status, err := hs.Ask(t.Context(), h, &hooks.Event{App: "app"})
			if status != want {
				t.Errorf("%v with policy %d: got %v, want %v", h, policy, status, want)
			}
			if asked := len(next.Calls()) == 1; asked != (policy == hooks.FailSkip) {
				t.Errorf("%v with policy %d: the next plugin was asked: %v", h, policy, asked)
			}
			if policy != hooks.FailDeny {
				if err != nil {
					t.Errorf("%v with policy %d: %v", h, policy, err)
				}
				continue
			}
			d := denied(t, err)
			if !d.Failed || d.Plugin != "bad" || d.Message == "" {
				t.Errorf("%v: got %+v, want a failure of plugin bad", h, d)
			}
			if errors.Is(err, errBroken) || d.Error() == errBroken.Error() {
				t.Errorf("%v: %v tells the client what is inside the plugin", h, err)
			}
		}
	}
}

func TestDefaultPolicyIsToDeny(t *testing.T) {
	hs := hookstest.Hooks(t, message("a", hookstest.Fail(errBroken)))
	if _, err := hs.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"}); !denied(t, err).Failed {
		t.Errorf("got %v, want a failure", err)
	}
}

func TestNoHooks(t *testing.T) {
	for name, hs := range map[string]*hooks.Hooks{"nil": nil, "zero": new(hooks.Hooks)} {
		for h := range abi.Hooks {
			if hs.Has(h) {
				t.Errorf("%s has %v", name, h)
			}
			hs.Tell(h, hooks.Event{})
		}
		if hs.Any() {
			t.Errorf("%s has some", name)
		}
		e := hooks.Event{UserID: "u"}
		if status, err := hs.Ask(t.Context(), abi.OnMessage, &e); status != abi.Continue || err != nil {
			t.Errorf("%s: got %v, %v", name, status, err)
		}
		err := hs.Authorize(t.Context(), &e, func() error { return errBroken })
		if err != errBroken || e != (hooks.Event{UserID: "u"}) {
			t.Errorf("%s: got %v and %+v, want what signed returns, and the event as it was", name, err, e)
		}
	}
}

func TestSwapToNilIsNone(t *testing.T) {
	p := message("a", hookstest.Deny("no"))
	hs := hookstest.Hooks(t, p)
	if !hs.Has(abi.OnMessage) || !hs.Any() || hs.Has(abi.OnConnect) {
		t.Error("the mask is wrong")
	}
	hs.Swap(nil)
	if hs.Has(abi.OnMessage) || hs.Any() {
		t.Error("there are still some")
	}
	if _, err := hs.Ask(t.Context(), abi.OnMessage, new(hooks.Event)); err != nil || len(p.Calls()) != 0 {
		t.Errorf("got %v after %d calls", err, len(p.Calls()))
	}
}
