package conformance

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"
)

// Outcome is how a case ended.
type Outcome string

// The outcomes, the worst first.
const (
	Broken    Outcome = "error"           // the suite could not find out: a fault of its own, or of the way to the target
	Fail      Outcome = "fail"            // the promise is not kept
	Fixed     Outcome = "unexpected pass" // a known failure that does not fail: the list is out of date
	Known     Outcome = "known failure"   // it fails, and it was said that it does
	Pass      Outcome = "pass"
	Skip      Outcome = "skip" // the target does not claim to be able to, or was not given what it takes
	Undecided Outcome = ""
)

// Result is what became of a case.
type Result struct {
	Case    *Case
	Level   Level // in the dialect of the target
	Outcome Outcome
	Failure Failure // why, unless it passed
	Reason  string  // of a known failure
	Took    time.Duration
	Trace   []Event // what passed over the connections; secrets are not in it
	Round   int     // of the runs with Repeat
}

// Runner runs cases.
type Runner struct {
	Target   Target
	Known    map[string]string // the reasons of known failures, by ID or pattern
	Parallel int               // cases at a time; less than 1 is 1
	Limit    time.Duration     // for one case; 0 is a minute
	Shuffle  uint64            // the seed of another order; 0 is the order of the protocol
	Repeat   int               // rounds; less than 1 is 1

	// Done, if not nil, is called as each case ends, one call at a time.
	Done func(Result)
}

// Run runs cases and returns their results, in the order of cases, round by
// round. When ctx is done it stops, and the cases that did not come to their end
// are left out.
func (r *Runner) Run(ctx context.Context, cases []Case) []Result {
	var results []Result
	for round := range max(r.Repeat, 1) {
		results = append(results, r.round(ctx, cases, round)...)
	}
	return results
}

func (r *Runner) round(ctx context.Context, cases []Case, round int) []Result {
	order := make([]int, len(cases))
	for i := range order {
		order[i] = i
	}
	if r.Shuffle != 0 {
		random := rand.New(rand.NewPCG(r.Shuffle, uint64(round)))
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	results := make([]Result, len(cases))
	var alone sync.RWMutex // held for writing by a case that needs the app to itself
	var done sync.Mutex
	var wg sync.WaitGroup
	places := make(chan struct{}, max(r.Parallel, 1))
	for _, i := range order {
		if ctx.Err() != nil {
			break
		}
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			c := &cases[i]
			if c.Serial {
				alone.Lock()
				defer alone.Unlock()
			} else {
				alone.RLock()
				defer alone.RUnlock()
			}
			res := r.One(ctx, c)
			if ctx.Err() != nil && res.Outcome != Pass {
				return // what a case finds while it is being stopped says nothing
			}
			res.Round = round
			results[i] = res
			if r.Done != nil {
				done.Lock()
				defer done.Unlock()
				r.Done(res)
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(results, func(res Result) bool { return res.Outcome == Undecided })
}

var errLimit = errors.New("the case takes longer than a case may")

// One runs one case.
func (r *Runner) One(ctx context.Context, c *Case) Result {
	res := Result{Case: c, Level: c.LevelIn(r.Target.Dialect)}
	if res.Level == NA {
		res.Outcome, res.Failure.Message = Skip, "it means nothing in the dialect of "+string(r.Target.Dialect)
		return res
	}
	if lacks := r.Target.Lacks(c.Needs); len(lacks) > 0 {
		res.Outcome, res.Failure.Message = Skip, fmt.Sprintf("the target does not claim %s", joinCapabilities(lacks))
		return res
	}
	limit := r.Limit
	if limit <= 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errLimit)
	defer cancel()
	t := &T{Target: &r.Target, Case: c, ctx: ctx, start: time.Now(), suffix: randomSuffix()}
	res.Outcome, res.Failure = t.run()
	res.Took = time.Since(t.start)
	res.Trace = redact(t.events(), r.Target)
	r.judge(&res)
	res.Failure = redactFailure(res.Failure, r.Target)
	return res
}

// run runs the case, and finds it at fault if the server broke a rule that
// holds for all cases.
func (t *T) run() (outcome Outcome, f Failure) {
	defer func() {
		if p := recover(); p != nil {
			e, ok := p.(ending)
			if !ok {
				e = ending{Broken, Failure{Message: fmt.Sprintf("the case panics: %v", p), Actual: string(debug.Stack())}}
			}
			outcome, f = e.outcome, e.f
		}
		t.close()
		t.mu.Lock()
		defer t.mu.Unlock()
		if outcome == Pass && len(t.faults) > 0 {
			outcome, f = Fail, Failure{Message: t.faults[0]}
		}
	}()
	t.Case.Run(t)
	return Pass, Failure{}
}

// judge compares an outcome with what was known of it. Of several patterns that
// match, the longest says most.
func (r *Runner) judge(res *Result) {
	known := ""
	for pattern := range r.Known {
		longer := len(pattern) > len(known) || len(pattern) == len(known) && pattern < known
		if Match(pattern, res.Case.ID) && longer {
			known = pattern
		}
	}
	if known == "" {
		return
	}
	switch res.Outcome {
	case Fail:
		res.Outcome, res.Reason = Known, r.Known[known]
	case Pass:
		res.Outcome, res.Reason = Fixed, r.Known[known]
		res.Failure = Failure{
			Message:  "it passes, and is listed as a known failure: take it off the list",
			Expected: "a failure: " + res.Reason,
			Actual:   "a pass",
		}
	}
}

// redact takes the secrets of the target out of a trace, and what is signed
// with them.
func redact(trace []Event, t Target) []Event {
	for i := range trace {
		trace[i].Text = redactText(trace[i].Text, t)
	}
	return trace
}

func redactFailure(f Failure, t Target) Failure {
	return Failure{redactText(f.Message, t), redactText(f.Expected, t), redactText(f.Actual, t)}
}

func redactText(text string, t Target) string {
	secrets := []string{t.App.Secret}
	for _, c := range t.Apps {
		secrets = append(secrets, c.Secret)
	}
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "[secret]")
		}
	}
	return signatures.ReplaceAllString(text, "[signature]")
}

var signatures = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

func joinCapabilities(all []Capability) string {
	texts := make([]string, len(all))
	for i, c := range all {
		texts[i] = string(c)
	}
	return strings.Join(texts, ", ")
}
