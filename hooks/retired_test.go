package hooks_test

import (
	"context"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// during returns what runs f while its plugin is being asked.
func during(f func()) hookstest.Func {
	return func(context.Context, *hooks.Event, *hooks.Verdict) error {
		f()
		return nil
	}
}

func TestRetired(t *testing.T) {
	other := message("other", hookstest.Deny("other"))
	for name, test := range map[string]struct {
		next   []hooks.Entry // the set after the swap
		denied string        // by whom
	}{
		"its successor is asked":                               {[]hooks.Entry{{Plugin: message("b", hookstest.Deny("successor"))}}, "successor"},
		"without a successor it has no opinion":                {nil, ""},
		"a successor that does not have the hook is not asked": {[]hooks.Entry{{Plugin: hookstest.New("b", map[abi.Hook]hookstest.Func{abi.OnConnect: hookstest.Deny("successor")})}}, ""},
		"a successor that is not concerned is not asked":       {[]hooks.Entry{{Plugin: message("b", hookstest.Deny("successor")), Apps: []string{"x"}}}, ""},
		"a plugin of another name is not asked":                {[]hooks.Entry{{Plugin: other}}, ""},
		"the policy is the successor's when it fails":          {[]hooks.Entry{{Plugin: message("b", hookstest.Fail(errBroken))}}, "Message refused: the server could not check it, try again later"},
	} {
		t.Run(name, func(t *testing.T) {
			hs := new(hooks.Hooks)
			t.Cleanup(func() { hs.Swap(nil) })
			b, c := message("b", hookstest.Deny("old")), message("c", nil)
			a := message("a", during(func() {
				hs.Swap(hookstest.Set(t, test.next...))
				b.Retire()
			}))
			hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: a}, hooks.Entry{Plugin: b}, hooks.Entry{Plugin: c}))
			_, err := hs.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"})
			if test.denied == "" && err != nil {
				t.Error(err)
			}
			if test.denied != "" && denied(t, err).Message != test.denied {
				t.Errorf("got %v, want %q", err, test.denied)
			}
			if n := len(a.Calls()); n != 1 {
				t.Errorf("the plugin before it was asked %d times, want once", n)
			}
			if n := len(c.Calls()); (n == 1) != (test.denied == "") {
				t.Errorf("the plugin after it was asked %d times", n)
			}
			for _, e := range test.next {
				if p := e.Plugin.(*hookstest.Plugin); len(p.Calls()) > 1 {
					t.Errorf("%s was asked %d times", p.Name(), len(p.Calls()))
				}
			}
			if len(other.Calls()) != 0 {
				t.Error("the plugin of another name was asked")
			}
		})
	}
}

func TestTheSuccessorOfASuccessorIsAsked(t *testing.T) {
	hs := new(hooks.Hooks)
	t.Cleanup(func() { hs.Swap(nil) })
	first, last := message("b", nil), message("b", hookstest.Deny("last"))
	second := message("b", nil)
	a := message("a", during(func() {
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: second}))
		first.Retire()
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: last}))
		second.Retire()
	}))
	hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: a}, hooks.Entry{Plugin: first}))
	_, err := hs.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"})
	if denied(t, err).Message != "last" {
		t.Errorf("got %v, want the last one's", err)
	}
}

func TestARetiredPluginThatIsStillInTheSetHasNoOpinion(t *testing.T) {
	b := message("b", hookstest.Deny("no"))
	hs := hookstest.Hooks(t, b)
	b.Retire()
	if status, err := hs.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"}); status != abi.Continue || err != nil {
		t.Errorf("got %v, %v", status, err)
	}
}

func TestTheYesOfASuccessorThatChecksDoesNotReplaceTheSignature(t *testing.T) {
	hs := new(hooks.Hooks)
	t.Cleanup(func() { hs.Swap(nil) })
	b, next := authorizer("b", nil), authorizer("b", hookstest.AllowWith(as("evil")))
	a := authorizer("a", during(func() {
		hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: next}))
		b.Retire()
	}))
	hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: a, Replace: true}, hooks.Entry{Plugin: b, Replace: true}))
	e := hooks.Event{App: "app", Channel: "private-a"}
	if err := hs.Authorize(t.Context(), &e, func() error { return errSignature }); err == nil {
		t.Errorf("it stands in place of the signature, as user %q", e.UserID)
	}
}

func TestAPluginThatBecomesOneThatReplacesIsNotLeftOut(t *testing.T) {
	for name, swapAt := range map[string]string{"before the signature": "a", "after it": "signed"} {
		t.Run(name, func(t *testing.T) {
			hs := new(hooks.Hooks)
			t.Cleanup(func() { hs.Swap(nil) })
			b, next := authorizer("b", hookstest.Deny("no")), authorizer("b", hookstest.Deny("no"))
			swap := func(at string) {
				if at == swapAt {
					hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: next, Replace: true}))
					b.Retire()
				}
			}
			a := authorizer("a", during(func() { swap("a") }))
			hs.Swap(hookstest.Set(t, hooks.Entry{Plugin: a, Replace: true}, hooks.Entry{Plugin: b}))
			err := hs.Authorize(t.Context(), &hooks.Event{App: "app"}, func() error { swap("signed"); return nil })
			if err == nil {
				t.Error("it is authorized, and neither the plugin nor its successor was asked")
			}
		})
	}
}
