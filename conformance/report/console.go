package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance"
)

// Console says what becomes of a run while it goes on, and sums it up. On a
// terminal one line is written again and again; elsewhere there is none.
type Console struct {
	Out      io.Writer
	Terminal bool
	Color    bool
	Verbose  bool // every case, and the traces of those that fail
	Total    int  // how many results there will be

	done, failed int
	begun        time.Time
}

// Progress tells of one result.
func (c *Console) Progress(res conformance.Result) {
	if c.begun.IsZero() {
		c.begun = time.Now()
	}
	c.done++
	switch res.Outcome {
	case conformance.Fail, conformance.Broken, conformance.Fixed:
		c.failed++
	}
	if c.Verbose {
		c.clear()
		fmt.Fprintf(c.Out, "%s %-8s %s (%s)\n", c.mark(string(res.Outcome)), res.Case.ID, res.Case.Title, res.Took.Round(time.Millisecond))
	}
	if c.Terminal {
		fmt.Fprintf(c.Out, "\r\x1b[2K%d/%d  %d failed  %s  %s", c.done, c.Total, c.failed,
			time.Since(c.begun).Round(time.Second), res.Case.ID)
	}
}

func (c *Console) clear() {
	if c.Terminal {
		fmt.Fprint(c.Out, "\r\x1b[2K")
	}
}

// marks stand for outcomes, as h2spec has them.
var marks = map[conformance.Outcome]struct{ sign, color string }{
	conformance.Pass:   {"✔", "\x1b[32m"},
	conformance.Fail:   {"×", "\x1b[31m"},
	conformance.Broken: {"!", "\x1b[35m"},
	conformance.Fixed:  {"×", "\x1b[31m"},
	conformance.Known:  {"~", "\x1b[33m"},
	conformance.Skip:   {"-", "\x1b[90m"},
}

func (c *Console) mark(outcome string) string {
	m := marks[conformance.Outcome(outcome)]
	if !c.Color {
		return m.sign
	}
	return m.color + m.sign + "\x1b[0m"
}

// Summary writes what failed and why, and how many did what. Its last line is
// for programs, too: "N passed, N failed, N skipped".
func (c *Console) Summary(r *Run) {
	c.clear()
	c.failures(r)
	c.skips(r)
	n := r.Counts
	if n.Known > 0 {
		fmt.Fprintf(c.Out, "%s among the skipped, of which the reasons are known.\n", plural(n.Known, "failure"))
	}
	if n.Fixed > 0 {
		fmt.Fprintf(c.Out, "%s among the failed: take them off the list of known failures.\n", plural(n.Fixed, "unexpected pass"))
	}
	if n.Errors > 0 {
		fmt.Fprintf(c.Out, "%s among the failed that are no verdict on the server: the suite could not find out.\n", plural(n.Errors, "error"))
	}
	if lower := n.Failed - n.Counting; lower > 0 {
		fmt.Fprintf(c.Out, "%s below %s: at --level %s they do not fail the run.\n", plural(lower, "failure"), r.Level, strings.ToLower(r.Level))
	}
	if r.Stopped {
		fmt.Fprintln(c.Out, "The run was stopped before its end.")
	}
	fmt.Fprintf(c.Out, "%s, dialect %s, %s", orUnnamed(r.Target.Name), r.Target.Dialect, took(r.TookMS))
	if r.Seed != 0 {
		fmt.Fprintf(c.Out, ", --shuffle %d", r.Seed)
	}
	fmt.Fprintf(c.Out, "\n%s\n", n)
}

func (c *Console) failures(r *Run) {
	for _, res := range r.Results {
		if !res.Failed() && res.Outcome != string(conformance.Known) {
			continue
		}
		fmt.Fprintf(c.Out, "%s %s  %s (%s, %s)\n", c.mark(res.Outcome), res.ID, res.Title, res.Level, res.Outcome)
		if res.Outcome == string(conformance.Known) {
			fmt.Fprintf(c.Out, "    known:       %s\n\n", res.Reason)
			continue
		}
		for _, line := range []struct{ name, text string }{
			{"requirement", res.Requirement},
			{"what", res.Message},
			{"expected", res.Expected},
			{"actual", res.Actual},
			{"source", res.Source},
		} {
			if line.text != "" {
				fmt.Fprintf(c.Out, "    %-12s %s\n", line.name+":", clip(strings.ReplaceAll(line.text, "\n", "\n                 "), 2_000))
			}
		}
		if c.Verbose {
			for _, l := range res.Trace {
				fmt.Fprintf(c.Out, "    %s\n", clip(l.String(), 300))
			}
		}
		fmt.Fprintf(c.Out, "    again:       revurb conformance --run %s\n\n", res.ID)
	}
}

// skips says what was not asked, with one line for each reason.
func (c *Console) skips(r *Run) {
	byReason := map[string]int{}
	var reasons []string
	for _, res := range r.Results {
		if res.Outcome != string(conformance.Skip) {
			continue
		}
		if byReason[res.Message] == 0 {
			reasons = append(reasons, res.Message)
		}
		byReason[res.Message]++
	}
	for _, reason := range reasons {
		fmt.Fprintf(c.Out, "%s %s: %s\n", c.mark(string(conformance.Skip)), plural(byReason[reason], "case")+" skipped", reason)
	}
	if len(reasons) > 0 {
		fmt.Fprintln(c.Out)
	}
}

func (l Line) String() string {
	return fmt.Sprintf("%9.3f ms  %-8s %-2s %s", float64(l.AtUS)/1000, l.Kind, l.Conn, l.Text)
}

func plural(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "s"):
		return fmt.Sprintf("%d %ses", n, what)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func took(ms float64) string {
	return time.Duration(ms * float64(time.Millisecond)).Round(10 * time.Millisecond).String()
}

func orUnnamed(name string) string {
	if name == "" {
		return "the server"
	}
	return name
}

// clip shortens a text that would fill a screen.
func clip(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + fmt.Sprintf("… (%d bytes)", len(text))
}
