package report

import (
	"fmt"
	"io"

	"github.com/revurb/revurb/conformance"
)

// Change is a case that ends otherwise than it did.
type Change struct {
	ID, Title string
	Was, Is   string // outcomes; "" is that it was not there
	Now       Result
	Worse     bool
}

// Diff compares two runs. What does not hold any more is worse: what passed and
// fails, what was asked and is no longer, and what is new and fails.
func Diff(before, after *Run) (changes []Change) {
	was := map[string]Result{}
	for _, res := range before.Worst() {
		was[res.ID] = res
	}
	for _, res := range after.Worst() {
		b, there := was[res.ID]
		delete(was, res.ID)
		if there && b.Outcome == res.Outcome {
			continue
		}
		passed := b.Outcome == string(conformance.Pass)
		broke := res.Failed() && !b.Failed()
		changes = append(changes, Change{
			ID: res.ID, Title: res.Title, Was: b.Outcome, Is: res.Outcome, Now: res,
			Worse: broke || passed && res.Outcome != string(conformance.Pass),
		})
	}
	for _, res := range before.Worst() {
		if _, gone := was[res.ID]; gone {
			changes = append(changes, Change{ID: res.ID, Title: res.Title, Was: res.Outcome, Worse: res.Outcome == string(conformance.Pass)})
		}
	}
	return changes
}

// WriteDiff writes changes, and returns how many are for the worse.
func WriteDiff(w io.Writer, changes []Change) (worse int, err error) {
	for _, c := range changes {
		sign := "+"
		if c.Worse {
			sign = "-"
			worse++
		}
		if _, err := fmt.Fprintf(w, "%s %s  %s: %s → %s\n", sign, c.ID, c.Title, orAbsent(c.Was), orAbsent(c.Is)); err != nil {
			return worse, err
		}
		if c.Now.Failed() {
			if _, err := fmt.Fprintf(w, "    %s\n", oneLine(c.Now)); err != nil {
				return worse, err
			}
		}
	}
	_, err = fmt.Fprintf(w, "%d changed, %d for the worse\n", len(changes), worse)
	return worse, err
}

func orAbsent(outcome string) string {
	if outcome == "" {
		return "not there"
	}
	return outcome
}
