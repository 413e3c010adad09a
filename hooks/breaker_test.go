package hooks_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/hookstest"
)

// patient is a plugin, its breaker, and who asks it.
type patient struct {
	*hookstest.Plugin
	member *hooks.Member
	hooks  *hooks.Hooks
}

func newPatient(t *testing.T) *patient {
	p := &patient{Plugin: message("a", nil), hooks: new(hooks.Hooks)}
	p.member = hooks.NewMember(hooks.Entry{Plugin: p.Plugin}, hookstest.Logger(t))
	s, err := hooks.NewSet(p.member)
	if err != nil {
		t.Fatal(err)
	}
	p.hooks.Swap(s)
	t.Cleanup(func() { p.hooks.Swap(nil) })
	return p
}

// play asks the plugin once for each letter of outcomes: s is a success, F a
// failure.
func (p *patient) play(t *testing.T, outcomes string) {
	t.Helper()
	for _, o := range outcomes {
		p.Do(abi.OnMessage, nil)
		if o == 'F' {
			p.Do(abi.OnMessage, hookstest.Fail(errBroken))
		}
		p.ask(t)
	}
}

// ask reports whether the plugin was called.
func (p *patient) ask(t *testing.T) bool {
	t.Helper()
	before, skipped := len(p.Calls()), p.member.Stats().Skipped
	_, err := p.hooks.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"})
	called := len(p.Calls()) > before
	if !called && !denied(t, err).Failed {
		t.Errorf("got %v without a call, want what the policy says", err)
	}
	if wasSkipped := p.member.Stats().Skipped > skipped; wasSkipped == called {
		t.Errorf("called: %v, but skipped: %v", called, wasSkipped)
	}
	return called
}

func (p *patient) want(t *testing.T, s hooks.BreakerState) {
	t.Helper()
	if got := p.member.Stats().Breaker; got != s {
		t.Fatalf("the breaker is %v, want %v", got, s)
	}
}

func TestBreakerOpens(t *testing.T) {
	for name, test := range map[string]struct {
		outcomes string
		want     hooks.BreakerState
	}{
		"not after 4 failures":                          {"FFFF", hooks.Closed},
		"after 5 failures in a row":                     {"FFFFF", hooks.Open},
		"after 5 failures in a row, after any success":  {strings.Repeat("s", 100) + "FFFFF", hooks.Open},
		"not after 5 failures with a success among":     {"FFFsFF", hooks.Closed},
		"when half of 20 have failed":                   {strings.Repeat("sF", 11), hooks.Open},
		"when half of 20 have failed, and the last not": {strings.Repeat("Fs", 10), hooks.Open},
		"not when 9 of 20 have failed":                  {strings.Repeat("Fs", 9) + "ss", hooks.Closed},
		"not when 9 of 20 have failed, and again":       {strings.Repeat(strings.Repeat("Fs", 9)+"ss", 3), hooks.Closed},
		"not for failures of an earlier 20 calls":       {strings.Repeat("Fs", 8) + "sssF" + "FF", hooks.Closed},
		"not before 20 calls":                           {strings.Repeat("FFs", 6) + "F", hooks.Closed},
		"at the 20th call":                              {strings.Repeat("FFs", 6) + "FF", hooks.Open},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t)
			p.play(t, test.outcomes)
			p.want(t, test.want)
			if called := p.ask(t); called != (test.want == hooks.Closed) {
				t.Errorf("the breaker is %v, and the plugin was called: %v", test.want, called)
			}
		})
	}
}

func TestBreakerProbesAndRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		p.play(t, "FFFFF")
		p.want(t, hooks.Open)
		for _, pause := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			pause *= time.Second
			time.Sleep(pause - 1)
			if p.ask(t) {
				t.Fatalf("called before %v have passed", pause)
			}
			time.Sleep(time.Nanosecond)
			if !p.ask(t) {
				t.Fatalf("not called after %v", pause)
			}
			p.want(t, hooks.Open)
			if p.ask(t) {
				t.Fatalf("called again after a probe that failed")
			}
		}
		time.Sleep(time.Minute)
		p.play(t, "s")
		p.want(t, hooks.Closed)
		p.play(t, "FFFF")
		p.want(t, hooks.Closed)
		p.play(t, "F")
		p.want(t, hooks.Open)
		time.Sleep(time.Second) // the pause is short again
		p.play(t, "s")
		p.want(t, hooks.Closed)
	})
}

func TestBreakerProbesWithOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		p.play(t, "FFFFF")
		time.Sleep(time.Second)
		gate := hookstest.NewGate(t)
		p.Do(abi.OnMessage, gate.Hold(hookstest.Continue()))
		probe := make(chan error)
		go func() {
			_, err := p.hooks.Ask(context.Background(), abi.OnMessage, &hooks.Event{App: "app"})
			probe <- err
		}()
		gate.Wait(t)
		p.want(t, hooks.Probing)
		if p.ask(t) {
			t.Error("called while it is being probed")
		}
		gate.Open()
		if err := <-probe; err != nil {
			t.Errorf("the probe: %v", err)
		}
		p.want(t, hooks.Closed)
		if !p.ask(t) {
			t.Error("not called after the probe has succeeded")
		}
	})
}

// late starts n calls that end, with then, when the gate is opened, and returns
// when they have started. wait waits until they have ended.
func (p *patient) late(t *testing.T, gate *hookstest.Gate, n int, then hookstest.Func) (wait func()) {
	started := len(p.Calls()) + n
	p.Do(abi.OnMessage, gate.Hold(then))
	var calls sync.WaitGroup
	for range n {
		calls.Go(func() {
			_, _ = p.hooks.Ask(context.Background(), abi.OnMessage, &hooks.Event{App: "app"})
		})
	}
	p.Wait(t, started)
	return calls.Wait
}

func TestCallsFromBeforeDoNotMoveABreakerThatIsOpen(t *testing.T) {
	for name, then := range map[string]hookstest.Func{"successes": hookstest.Continue(), "failures": hookstest.Fail(errBroken)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient(t)
				gate := hookstest.NewGate(t)
				wait := p.late(t, gate, 40, then)
				p.play(t, "FFFFF")
				gate.Open()
				wait()
				p.want(t, hooks.Open)
				time.Sleep(time.Second)
				p.play(t, "s")
				p.want(t, hooks.Closed)
			})
		})
	}
}

func TestTheProbeAloneDecides(t *testing.T) {
	for name, then := range map[string]hookstest.Func{"successes": hookstest.Continue(), "failures": hookstest.Fail(errBroken)} {
		t.Run("not earlier "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPatient(t)
				early, probing := hookstest.NewGate(t), hookstest.NewGate(t)
				wait := p.late(t, early, 3, then)
				p.play(t, "FFFFF")
				time.Sleep(time.Second)
				probed := p.late(t, probing, 1, hookstest.Continue())
				early.Open()
				wait()
				p.want(t, hooks.Probing)
				probing.Open()
				probed()
				p.want(t, hooks.Closed)
			})
		})
	}
}

func TestAProbeThatFindsThePluginRetiredIsNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t)
		p.play(t, "FFFFF")
		time.Sleep(time.Second)
		p.Retire()
		for range 2 {
			if _, err := p.hooks.Ask(t.Context(), abi.OnMessage, &hooks.Event{App: "app"}); err != nil {
				t.Errorf("got %v of a retired plugin", err)
			}
		}
	})
}

func TestBreakerStateHasAName(t *testing.T) {
	for s, want := range map[hooks.BreakerState]string{hooks.Closed: "closed", hooks.Probing: "probing", hooks.Open: "open"} {
		if got := s.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
