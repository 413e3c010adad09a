package clustertest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Report is what came of a run.
type Report struct {
	Ops        int64 // done by clients
	Accepted   int   // events
	Heard      int64 // events, by all clients
	Told       int   // changes, to backends
	Rounds     int
	Slowest    time.Duration // answer to somebody who published
	Faults     map[Fault]*Tally
	Violations []string
}

// Tally is what came of all rounds of one fault.
type Tally struct {
	Rounds   int
	Accepted int
	Refused  int
	Lost     int           // events that Redis has lost itself
	Said     uint64        // events that nodes said were lost
	Twice    int           // events that somebody has heard twice
	Again    time.Duration // the longest from the end of the fault until an event was accepted
	Agreed   time.Duration // the longest from there until all agreed
}

func (r *Report) add(round *round, agreed time.Duration) {
	if r.Faults == nil {
		r.Faults = map[Fault]*Tally{}
	}
	t := r.Faults[round.fault]
	if t == nil {
		t = &Tally{}
		r.Faults[round.fault] = t
	}
	r.Rounds++
	r.Accepted += len(round.accepted)
	r.Slowest = max(r.Slowest, round.slowest)
	t.Rounds++
	t.Accepted += len(round.accepted)
	t.Refused += round.refused
	t.Lost += round.lost
	t.Said += round.counted
	t.Twice += round.twice
	t.Again = max(t.Again, round.again)
	t.Agreed = max(t.Agreed, agreed)
}

// Table is the report, a line for each fault.
func (r *Report) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-62s %6s %8s %8s %6s %6s %6s %8s %8s\n", "fault", "rounds", "accepted", "refused", "lost", "said", "twice", "again", "agreed")
	names := make([]Fault, 0, len(r.Faults))
	for f := range r.Faults {
		names = append(names, f)
	}
	slices.Sort(names)
	for _, f := range names {
		t := r.Faults[f]
		fmt.Fprintf(&b, "%-62s %6d %8d %8d %6d %6d %6d %8s %8s\n", f, t.Rounds, t.Accepted, t.Refused, t.Lost, t.Said, t.Twice,
			t.Again.Round(time.Millisecond), t.Agreed.Round(time.Millisecond))
	}
	return b.String()
}
