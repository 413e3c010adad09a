package hooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

func members(t *testing.T, n int, h abi.Hook) (ms []*hooks.Member) {
	for i := range n {
		p := hookstest.New(fmt.Sprint("p", i), map[abi.Hook]hookstest.Func{h: nil})
		ms = append(ms, hooks.NewMember(hooks.Entry{Plugin: p}, hookstest.Logger(t)))
	}
	return ms
}

func TestNewSet(t *testing.T) {
	full := members(t, hooks.MaxChain, abi.OnMessage)
	other := hooks.NewMember(hooks.Entry{Plugin: hookstest.New("other", map[abi.Hook]hookstest.Func{abi.OnConnect: nil})}, hookstest.Logger(t))
	twin := members(t, 1, abi.OnConnect)[0]
	for name, test := range map[string]struct {
		members []*hooks.Member
		want    []string // in the error; none is no error
	}{
		"no plugin":                      {nil, nil},
		"as many as may be asked":        {full, nil},
		"more, but not of the same hook": {append(full[:len(full):len(full)], other), nil},
		"more than may be asked":         {members(t, hooks.MaxChain+1, abi.OnMessage), []string{"9", "on_message", "8"}},
		"two of the same name":           {[]*hooks.Member{full[0], other, twin}, []string{"two", "p0"}},
		"the same twice":                 {[]*hooks.Member{full[0], full[0]}, []string{"two", "p0"}},
	} {
		_, err := hooks.NewSet(test.members...)
		if (err == nil) != (test.want == nil) {
			t.Errorf("%s: got %v", name, err)
		}
		for _, want := range test.want {
			if err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
	}
}

func TestASetDoesNotChangeWithTheSliceThatItIsMadeOf(t *testing.T) {
	a := hookstest.New("a", map[abi.Hook]hookstest.Func{abi.OnDisconnect: nil})
	ms := []*hooks.Member{hooks.NewMember(hooks.Entry{Plugin: a}, hookstest.Logger(t))}
	s, err := hooks.NewSet(ms...)
	if err != nil {
		t.Fatal(err)
	}
	ms[0] = members(t, 1, abi.OnConnect)[0]
	hs := new(hooks.Hooks)
	hs.Swap(s)
	defer hs.Swap(nil)
	hs.Tell(abi.OnDisconnect, hooks.Event{App: "app"})
	a.Wait(t, 1)
}
