package mutants

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/hub"
)

// witnesses are run against every mutant: where they are not said to fail, they
// must pass. A server that is broken altogether would be no proof of anything.
var witnesses = []string{"CON-01", "HB-01", "SUB-01", "SUB-03", "HE-01"}

// run has cases judge m. Those that pass, by their ID, have all the time that
// they may need; nobody waits that long for the others.
func run(t *testing.T, m *mutant, cases []conformance.Case, pass func(id string) bool) map[string]conformance.Result {
	t.Helper()
	results := map[string]conformance.Result{}
	// What the other cases do is not told to the backend, which would be busy
	// with it.
	told := func(c conformance.Case) bool { return slices.Contains(c.Needs, conformance.CapWebhooks) }
	if some := only(cases, told); len(some) > 0 && len(some) < len(cases) {
		results = run(t, m, some, pass)
		cases = only(cases, func(c conformance.Case) bool { return !told(c) })
	}
	target := start(t, m)
	for _, group := range []struct {
		pass, timing   bool
		timeout, limit time.Duration
	}{
		{true, false, patience, limit},
		{true, true, patience, limit},
		{false, false, timeout, 20 * time.Second},
		{false, true, timingTimeout, 20 * time.Second},
	} {
		r := conformance.Runner{Target: target, Parallel: 8, Limit: group.limit}
		r.Target.Timeout = group.timeout
		some := only(cases, func(c conformance.Case) bool { return pass(c.ID) == group.pass && c.Timing == group.timing })
		for _, res := range r.Run(t.Context(), some) {
			results[res.Case.ID] = res
		}
	}
	return results
}

// only returns those cases that are wanted.
func only(cases []conformance.Case, want func(conformance.Case) bool) []conformance.Case {
	return slices.DeleteFunc(slices.Clone(cases), func(c conformance.Case) bool { return !want(c) })
}

func matches(patterns []string, id string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return conformance.Match(p, id) })
}

// TestControl runs what the mutants are measured by against a server that is no
// mutant, and against one that is none but has something in between.
func TestControl(t *testing.T) {
	through := func(_ *link, f frame) []frame { return pass(f) }
	same := func(head string) string { return head }
	// How a server reads requests that are malformed is not to be seen through
	// package net/http, nor without package listen.
	raw := []string{"security.http.smuggling", "security.http.announced", "security.http.huge-query", "security.handshake.*"}
	for _, c := range []struct {
		mutant
		without []string
	}{
		{mutant: mutant{name: "as it is"}},
		{mutant: mutant{
			name: "through a proxy", up: through, down: through, head: same, answer: same,
			reads: func(_ *link, b []byte) []byte { return b }, lax: func(string) bool { return false },
		}},
		{mutant: mutant{name: "through a proxy of HTTP", http: func(x *exchange) answer { return x.send() }}, without: raw},
		{mutant: mutant{name: "put together", ports: func(*hub.Ports) {}}, without: raw},
		{mutant: mutant{name: "two nodes", node: func(*hub.Ports) {}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			killers := relevant(func(k *conformance.Case) bool {
				if k.Area() == "CLU" {
					return c.node != nil && !k.Heavy
				}
				kills := matches(witnesses, k.ID) || c.node == nil && slices.ContainsFunc(mutants(), func(m mutant) bool { return matches(m.killedBy, k.ID) })
				return kills && !matches(c.without, k.ID)
			})
			for id, res := range run(t, &c.mutant, killers, func(string) bool { return true }) {
				if res.Outcome != conformance.Pass {
					t.Errorf("%s: %s: %s; expected %s, got %s", id, res.Outcome, res.Failure.Message, res.Failure.Expected, res.Failure.Actual)
				}
			}
		})
	}
}

func relevant(want func(*conformance.Case) bool) (cases []conformance.Case) {
	for _, c := range conformance.All() {
		if want(&c) {
			cases = append(cases, c)
		}
	}
	return cases
}

// neighbors are the cases before and after those that patterns match: they are
// about something like it.
func neighbors(patterns []string) map[string]bool {
	near := map[string]bool{}
	all := relevant(func(c *conformance.Case) bool { return !c.Timing && !c.Heavy })
	for i, c := range all {
		for _, j := range []int{i - 1, i + 1} {
			if matches(patterns, c.ID) && j >= 0 && j < len(all) && !matches(patterns, all[j].ID) && all[j].Area() == c.Area() {
				near[all[j].ID] = true
			}
		}
	}
	return near
}

// TestMutants has the suite find every bug, with the cases that are to find it.
// With patterns of cases in MUTANTS_ALSO, those of them are listed that find a
// bug besides; MUTANT selects mutants.
func TestMutants(t *testing.T) {
	all := mutants()
	all = slices.DeleteFunc(all, func(m mutant) bool {
		only := os.Getenv("MUTANT")
		return only != "" && !conformance.Match(only, m.name)
	})
	killed := make([]string, len(all))
	var mu sync.Mutex
	others := map[string][]string{}
	places := make(chan struct{}, atATime)
	t.Run("each", func(t *testing.T) {
		for i, m := range all {
			t.Run(m.name, func(t *testing.T) {
				t.Parallel()
				places <- struct{}{}
				defer func() { <-places }()
				near := neighbors(m.killedBy)
				cases := relevant(func(c *conformance.Case) bool {
					return matches(m.killedBy, c.ID) || matches(witnesses, c.ID) || near[c.ID] || os.Getenv("MUTANTS_ALSO") != "" && !c.Timing && matches(strings.Split(os.Getenv("MUTANTS_ALSO"), ","), c.ID)
				})
				for _, p := range m.killedBy {
					if !slices.ContainsFunc(cases, func(c conformance.Case) bool { return conformance.Match(p, c.ID) }) {
						t.Errorf("%s is the ID of no case", p)
					}
				}
				pass := func(id string) bool {
					return !m.total && !matches(m.killedBy, id) && !matches(m.also, id) && (near[id] || matches(witnesses, id))
				}
				n, survived := 0, 0
				for id, res := range run(t, &m, cases, pass) {
					switch want := matches(m.killedBy, id); {
					case want && res.Outcome == conformance.Fail:
						n++
					case want:
						survived++
						t.Errorf("%s does not find that %s: %s %s", id, m.bug, res.Outcome, res.Failure.Message)
					case res.Outcome == conformance.Pass, res.Outcome == conformance.Skip:
					case pass(id):
						t.Errorf("%s, which has nothing to do with it, ends with %s: %s; expected %s, got %s", id, res.Outcome,
							res.Failure.Message, res.Failure.Expected, res.Failure.Actual)
					default:
						mu.Lock()
						others[m.name] = append(others[m.name], id)
						mu.Unlock()
					}
				}
				if n > 0 && survived == 0 {
					killed[i] = strings.Join(m.killedBy, ", ")
				}
			})
		}
	})
	n := 0
	for i, m := range all {
		if killed[i] != "" {
			n++
		}
		fmt.Printf("%-32s killed by %s\n", m.name, orNobody(killed[i]))
		if more := others[m.name]; more != nil {
			slices.Sort(more)
			fmt.Printf("%-32s and by %s\n", "", strings.Join(more, ", "))
		}
	}
	fmt.Printf("%d of %d killed\n", n, len(all))
}

func orNobody(s string) string {
	if s == "" {
		return "NOBODY"
	}
	return s
}

//go:embed smoke.txt
var smoke string

// TestEveryMustCaseKills sees to it that no case is there that cannot fail.
func TestEveryMustCaseKills(t *testing.T) {
	reasons := map[string]string{}
	for in := bufio.NewScanner(strings.NewReader(smoke)); in.Scan(); {
		if line := in.Text(); line != "" && line[0] != '#' {
			id, reason, _ := strings.Cut(line, " ")
			reasons[id] = strings.TrimSpace(reason)
		}
	}
	all := mutants()
	target := target("")
	known := map[string]bool{}
	for _, c := range conformance.All() {
		known[c.ID] = true
		kills := slices.ContainsFunc(all, func(m mutant) bool { return matches(m.killedBy, c.ID) })
		reason, listed := reasons[c.ID]
		switch {
		case kills && listed:
			t.Errorf("%s is in smoke.txt, and kills a mutant: take it out", c.ID)
		case listed && reason == "":
			t.Errorf("%s is in smoke.txt without a reason", c.ID)
		case !kills && !listed && c.LevelIn(target.Dialect) == conformance.Must && len(target.Lacks(c.Needs)) == 0:
			t.Errorf("%s (%s) kills no mutant: write one, or say in smoke.txt why there is none", c.ID, c.Title)
		}
	}
	for id := range reasons {
		if !known[id] {
			t.Errorf("%s is in smoke.txt, and is no case", id)
		}
	}
}

// TestMutantsAreDistinct sees to it that the names are.
func TestMutantsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range mutants() {
		if seen[m.name] || m.bug == "" || m.killedBy == nil {
			t.Errorf("%s: names occur once, and a mutant has a bug and a case that kills it", m.name)
		}
		seen[m.name] = true
	}
}
