package cluster_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// A verdict is what became of the events of a trial.
type verdict struct {
	refused, accepted, unanswered int
	lost                          []event // answered with 200, and not heard by everybody
	excusable                     int     // of them, those that Redis itself may have lost
	duplicates, disorder, cut     int
	slowest                       time.Duration
	slow                          map[shape]time.Duration // the same for each shape of a request
	back                          time.Duration           // from when Redis was usable until events reached everybody; -1 never
	counted                       float64                 // of the metric of lost events
	problems                      []string
}

// head names the columns of a verdict.
const head = "fault | refused | accepted | lost | duplicates | order | slowest answer | back after"

func (v verdict) line(name string) string {
	lost := fmt.Sprint(len(v.lost))
	if len(v.lost) > 0 {
		lost = fmt.Sprintf("%d (%d of them by Redis, %v counted)", len(v.lost), v.excusable, v.counted)
	}
	order := "one"
	if v.disorder > 0 {
		order = fmt.Sprintf("%d out of it", v.disorder)
	}
	back := "never"
	if v.back >= 0 {
		back = v.back.Round(10 * time.Millisecond).String()
	}
	return fmt.Sprintf("%s | %d | %d | %s | %d | %s | %v | %s", name, v.refused, v.accepted, lost, v.duplicates, order,
		v.slowest.Round(10*time.Millisecond), back)
}

// How long a trial goes on after the fault is over: at least so long, longer
// until events reach everybody, and then until nothing is heard any more.
const (
	tail      = 4 * time.Second
	settleFor = 75 * time.Second
	quiet     = 4 * time.Second
)

// settle ends a trial: events flow, publishing stops, and what is on its way
// comes.
func (tr *trial) settle() {
	tr.pass(time.Until(tr.usable.Add(tail)))
	if !tr.within(settleFor, func() bool { return tr.flows(tr.usable) }) {
		tr.Logf("events do not reach everybody again: %s", tr.stuck(tr.usable))
	}
	tr.feed.end()
	before, since := -1, time.Now()
	tr.within(settleFor, func() bool {
		missing := tr.missing()
		if missing != before {
			before, since = missing, time.Now()
		}
		return missing == 0 || time.Since(since) > quiet
	})
}

// missing returns how many accepted events have not reached everybody yet.
func (tr *trial) missing() int {
	n, present := 0, tr.present()
	for _, e := range tr.feed.answered() {
		if _, all := everybody(present, e.key); e.status == http.StatusOK && !all {
			n++
		}
	}
	return n
}

// judge returns what became of everything, once a trial has settled.
func (tr *trial) judge() verdict {
	v := verdict{back: -1, slow: map[shape]time.Duration{}}
	present := tr.present()
	v.cut = len(tr.listeners) - len(present)
	problems := map[string]int{}
	for _, e := range tr.feed.answered() {
		if e.problem != "" && !tr.excused[e.node] {
			problems[e.problem]++
		}
		if took := e.answered.Sub(e.sent); !tr.excused[e.node] {
			v.slow[e.shape] = max(v.slow[e.shape], took)
			v.slowest = max(v.slowest, took)
		}
		switch e.status {
		case http.StatusServiceUnavailable:
			v.refused++
		case 0:
			v.unanswered++
		case http.StatusOK:
			v.accepted++
			if _, all := everybody(present, e.key); !all {
				v.lost = append(v.lost, e)
				if tr.mayLose(e) {
					v.excusable++
				}
			}
		}
	}
	for problem, n := range problems {
		v.problems = append(v.problems, fmt.Sprintf("%d answers: %s", n, problem))
	}
	for _, l := range present {
		v.duplicates += l.repeated()
	}
	v.disorder = disorder(present)
	if at, all := tr.back(tr.usable); all {
		v.back = at.Sub(tr.usable)
	}
	v.counted = tr.metric("revurb_cluster_lost_events_total") - tr.lostWas
	return v
}

// mayLose reports whether Redis itself may have lost an event with what it was
// told in its last second, or need not have kept it for who misses it.
func (tr *trial) mayLose(e event) bool {
	if tr.behind > 0 {
		for _, l := range tr.present() {
			if l.node != tr.behind && l.whenHeard(e.key).IsZero() {
				return false
			}
		}
		return true
	}
	begun, ended := tr.dying[0], tr.dying[1]
	return !begun.IsZero() && e.sent.Before(ended) && e.answered.After(begun.Add(-time.Second))
}

func (l *listener) repeated() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, times := range l.again {
		n += times
	}
	return n
}

// disorder returns how many events came to one client after another that came
// later to the client next to it.
func disorder(clients []*listener) int {
	n := 0
	for i := 1; i < len(clients); i++ {
		for _, channel := range channels {
			place := map[string]int{}
			for at, key := range clients[i-1].sequence(channel) {
				place[key] = at
			}
			last := -1
			for _, key := range clients[i].sequence(channel) {
				at, both := place[key]
				switch {
				case !both:
				case at < last:
					n++
				default:
					last = at
				}
			}
		}
	}
	return n
}

func (l *listener) sequence(channel string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.order[channel]...)
}

// where says when, on which nodes and for whom events were lost.
func (tr *trial) where(lost []event) string {
	if len(lost) == 0 {
		return "nothing is lost"
	}
	first, last := lost[0].sent, lost[0].sent
	by, for_ := map[int]int{}, map[string]int{}
	for _, e := range lost {
		if e.sent.Before(first) {
			first = e.sent
		}
		if e.sent.After(last) {
			last = e.sent
		}
		by[e.node]++
		for _, l := range tr.present() {
			if l.whenHeard(e.key).IsZero() {
				for_[fmt.Sprint("node ", l.node)]++
			}
		}
	}
	return fmt.Sprintf("lost what was sent from %+.1fs to %+.1fs; published on nodes %v; by where the clients are: %v",
		first.Sub(tr.begun).Seconds(), last.Sub(tr.begun).Seconds(), by, strings.TrimPrefix(fmt.Sprint(for_), "map"))
}
