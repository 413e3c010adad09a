package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/report"
)

// judge runs the cases and reports. What was found before a signal is reported
// all the same.
func (c *cli) judge(cmd *cobra.Command, o *conformanceOptions) error {
	p, err := o.plan(c)
	if err != nil {
		return err
	}
	if err := o.choose(p); err != nil {
		return err
	}
	if err := writable(p.reports, o.baseline); err != nil {
		return err
	}
	if w := p.target.Webhooks; w != nil {
		defer w.Close() //nolint:errcheck // nobody sends to it any more
		fmt.Fprintf(c.stdout, "webhooks are awaited at %s, and those of channel_existence alone at %s\n", w.URL, w.Only)
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := preflight(ctx, p.target); err != nil {
		return err
	}
	run, results := c.runCases(ctx, o, p)
	if o.baseline != "" {
		return writeFile(o.baseline, func(w io.Writer) error { return conformance.WriteKnown(w, results) })
	}
	for _, out := range p.reports {
		if err := writeFile(out.path, func(w io.Writer) error { return report.Kinds[out.kind](w, run) }); err != nil {
			return err
		}
	}
	if run.Counts.Counting > 0 || run.Stopped {
		return &coded{code: exitRuntime}
	}
	return nil
}

func (c *cli) runCases(ctx context.Context, o *conformanceOptions, p *plan) (*report.Run, []conformance.Result) {
	run := &report.Run{
		SchemaVersion: report.SchemaVersion, Suite: version(), Target: p.info, Started: time.Now().UTC(),
		Seed: p.seed, Repeat: o.repeat, Profile: o.profile, Level: strings.ToUpper(o.level),
	}
	terminal := isTerminal(c.stdout)
	console := &report.Console{
		Out: c.stdout, Terminal: terminal, Color: terminal && !noColor(c.environ),
		Verbose: o.verbose, Total: len(p.cases) * o.repeat,
	}
	if p.seed != 0 {
		fmt.Fprintf(c.stdout, "seed %d\n", p.seed)
	}
	runner := conformance.Runner{
		Target: p.target, Known: p.known, Parallel: o.parallel, Limit: scaled(time.Minute, max(o.scale, 1)),
		Shuffle: p.seed, Repeat: o.repeat, Done: console.Progress,
	}
	results := runner.Run(ctx, p.cases)
	run.TookMS = float64(time.Since(run.Started).Microseconds()) / 1000
	run.Stopped = ctx.Err() != nil
	for _, res := range results {
		passed := res.Outcome == conformance.Pass || res.Outcome == conformance.Skip
		run.Add(res, o.trace == "all" || o.trace == "failing" && !passed)
	}
	console.Summary(run)
	return run, results
}

// preflight gives each way in which a server cannot be judged its exit code.
func preflight(ctx context.Context, t conformance.Target) error {
	err := conformance.Preflight(ctx, t)
	var unready *conformance.Unready
	if !errors.As(err, &unready) {
		return err
	}
	codes := map[conformance.Cause]int{
		conformance.Unreachable:    exitUnreachable,
		conformance.BadCredentials: exitCredentials,
		conformance.NotPusher:      exitNotPusher,
	}
	return &coded{codes[unready.Cause], err}
}

// writable finds out before a run whether what comes of it can be written.
func writable(reports []output, baseline string) error {
	paths := []string{}
	for _, r := range reports {
		paths = append(paths, r.path)
	}
	if baseline != "" {
		paths = append(paths, baseline)
	}
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			return usagef("%s: %v", path, reason(err))
		}
		_ = f.Close() // nothing was written
	}
	return nil
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("%s: %w", path, reason(err))
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
