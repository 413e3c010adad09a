// Package report shows what came of a run: to people, as text, Markdown and a
// page, and to programs, as JSON, JUnit XML and TAP.
//
// Everything is made from a Run, and a Run is what the JSON holds: a report of
// any kind can be made later from that.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/revurb/revurb/conformance"
)

// SchemaVersion is that of the JSON. It changes when a program that reads the
// old one would misread the new one.
const SchemaVersion = 1

// Run is a run of the suite.
type Run struct {
	SchemaVersion int       `json:"schema_version"`
	Suite         string    `json:"suite"` // which version of the suite it was
	Target        Target    `json:"target"`
	Started       time.Time `json:"started"`
	TookMS        float64   `json:"took_ms"`
	Seed          uint64    `json:"seed"` // of the order; 0 is that of the protocol
	Repeat        int       `json:"repeat"`
	Profile       string    `json:"profile"`
	Level         string    `json:"level"` // the lowest one whose failures count
	Stopped       bool      `json:"stopped"`
	Counts        Counts    `json:"counts"`
	Results       []Result  `json:"results"`
}

// Target is what was judged. There is no secret in it.
type Target struct {
	Name         string   `json:"name"`
	Version      string   `json:"version,omitempty"`
	Dialect      string   `json:"dialect"`
	URLs         []string `json:"urls"`
	HTTP         string   `json:"http"`
	AppID        string   `json:"app_id"`
	Capabilities []string `json:"capabilities"`
}

// Result is what became of a case.
type Result struct {
	ID          string  `json:"id"`
	Alias       string  `json:"alias,omitempty"`
	Area        string  `json:"area"`
	Title       string  `json:"title"`
	Level       string  `json:"level"`
	Source      string  `json:"source"`
	Requirement string  `json:"requirement"`
	Outcome     string  `json:"outcome"`
	Message     string  `json:"message,omitempty"`
	Expected    string  `json:"expected,omitempty"`
	Actual      string  `json:"actual,omitempty"`
	Reason      string  `json:"reason,omitempty"` // of a known failure
	TookMS      float64 `json:"took_ms"`
	Round       int     `json:"round"`
	Timing      bool    `json:"timing,omitempty"`
	Trace       []Line  `json:"trace,omitempty"`
}

// Line is a line of a trace.
type Line struct {
	AtUS int64  `json:"at_us"` // microseconds since the case began
	Kind string `json:"kind"`  // dial, sent, received, closed, request, response, note
	Conn string `json:"conn,omitempty"`
	Text string `json:"text"`
}

// Counts are how many cases ended how. A case that ran several times counts
// each time.
type Counts struct {
	Passed   int `json:"passed"`
	Failed   int `json:"failed"`   // of any level, with unexpected passes and errors of the suite
	Skipped  int `json:"skipped"`  // with known failures
	Known    int `json:"known"`    // of those skipped, the known failures
	Fixed    int `json:"fixed"`    // of those failed, the unexpected passes
	Errors   int `json:"errors"`   // of those failed, the errors of the suite
	Counting int `json:"counting"` // of those failed, those that count at the level asked for
}

// Add takes a result in, of which trace says whether to keep the trace.
func (r *Run) Add(res conformance.Result, trace bool) {
	c := res.Case
	out := Result{
		ID: c.ID, Alias: c.Alias, Area: c.Area(), Title: c.Title, Level: string(res.Level),
		Source: c.Source, Requirement: c.Requirement, Outcome: string(res.Outcome),
		Message: res.Failure.Message, Expected: res.Failure.Expected, Actual: res.Failure.Actual,
		Reason: res.Reason, TookMS: ms(res.Took), Round: res.Round, Timing: c.Timing,
	}
	if trace {
		for _, e := range res.Trace {
			out.Trace = append(out.Trace, Line{e.After.Microseconds(), e.Kind, e.Conn, e.Text})
		}
	}
	r.Results = append(r.Results, out)
	r.Counts.add(out, conformance.Level(r.Level))
}

func (c *Counts) add(r Result, min conformance.Level) {
	switch conformance.Outcome(r.Outcome) {
	case conformance.Pass:
		c.Passed++
		return
	case conformance.Skip:
		c.Skipped++
		return
	case conformance.Known:
		c.Skipped++
		c.Known++
		return
	case conformance.Fixed:
		c.Fixed++
	case conformance.Broken:
		c.Errors++
	}
	c.Failed++
	if conformance.Level(r.Level).Counts(min) {
		c.Counting++
	}
}

func (c Counts) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", c.Passed, c.Failed, c.Skipped)
}

// Failed reports whether the result is one that somebody must look at.
func (r Result) Failed() bool {
	switch conformance.Outcome(r.Outcome) {
	case conformance.Fail, conformance.Broken, conformance.Fixed:
		return true
	}
	return false
}

// Worst are the results with one for each case: the worst of its rounds.
func (r *Run) Worst() []Result {
	var worst []Result
	at := map[string]int{}
	for _, res := range r.Results {
		i, seen := at[res.ID]
		switch {
		case !seen:
			at[res.ID] = len(worst)
			worst = append(worst, res)
		case rank(res.Outcome) < rank(worst[i].Outcome):
			worst[i] = res
		}
	}
	return worst
}

// outcomes are in the order of how bad they are.
var outcomes = []conformance.Outcome{
	conformance.Broken, conformance.Fail, conformance.Fixed, conformance.Known, conformance.Pass, conformance.Skip,
}

func rank(outcome string) int { return slices.Index(outcomes, conformance.Outcome(outcome)) }

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// JSON writes the run for programs.
func JSON(w io.Writer, r *Run) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// Read reads what JSON has written.
func Read(in io.Reader) (*Run, error) {
	r := new(Run)
	if err := json.NewDecoder(in).Decode(r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if r.SchemaVersion != SchemaVersion {
		return nil, fmt.Errorf("read report: its schema_version is %d, and this reads %d", r.SchemaVersion, SchemaVersion)
	}
	return r, nil
}

// Kinds are the reports that there are, by the name that a user gives.
var Kinds = map[string]func(io.Writer, *Run) error{
	"json":  JSON,
	"junit": JUnit,
	"tap":   TAP,
	"md":    Markdown,
	"html":  HTML,
}

// areas are those of the results, in their order.
func areas(results []Result) (names []string) {
	for _, r := range results {
		if !slices.Contains(names, r.Area) {
			names = append(names, r.Area)
		}
	}
	return names
}

// Sort brings the results into the order of cases, round by round.
func (r *Run) Sort(order []conformance.Case) {
	place := map[string]int{}
	for i, c := range order {
		place[c.ID] = i
	}
	slices.SortStableFunc(r.Results, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Round, b.Round), cmp.Compare(place[a.ID], place[b.ID]))
	})
}
