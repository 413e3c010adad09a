package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/revurb/revurb/conformance"
)

// Markdown writes the run as tables: one of areas and levels, and what did not
// pass.
func Markdown(w io.Writer, r *Run) error {
	var b strings.Builder
	worst := r.Worst()
	fmt.Fprintf(&b, "# Conformance of %s\n\n", orUnnamed(r.Target.Name))
	fmt.Fprintf(&b, "Dialect %s, profile %s: **%s** (%s).\n\n", r.Target.Dialect, r.Profile, r.Counts, took(r.TookMS))
	table(&b, worst, areas(worst), func(res Result) string { return res.Area })
	section(&b, "What fails", worst, Result.Failed, oneLine)
	section(&b, "What is known to fail", worst, with(conformance.Known), func(res Result) string { return res.Reason })
	section(&b, "What was not asked", worst, with(conformance.Skip), func(res Result) string { return res.Message })
	_, err := io.WriteString(w, b.String())
	return err
}

func with(o conformance.Outcome) func(Result) bool {
	return func(r Result) bool { return r.Outcome == string(o) }
}

var levels = []string{string(conformance.Must), string(conformance.Should), string(conformance.May)}

// table has a row for each area, and in it how many cases of each level passed,
// of those that were asked.
func table(b *strings.Builder, results []Result, rows []string, of func(Result) string) {
	b.WriteString("| Area | MUST | SHOULD | MAY | Not asked |\n|---|---|---|---|---|\n")
	for _, row := range append(rows, "") {
		name := row
		if row == "" {
			name = "**all**"
		}
		fmt.Fprintf(b, "| %s |", name)
		skipped := 0
		for _, level := range levels {
			passed, asked := 0, 0
			for _, r := range results {
				if row != "" && of(r) != row || r.Level != level {
					continue
				}
				switch conformance.Outcome(r.Outcome) {
				case conformance.Skip:
					skipped++
					continue
				case conformance.Pass:
					passed++
				}
				asked++
			}
			fmt.Fprintf(b, " %s |", ratio(passed, asked))
		}
		fmt.Fprintf(b, " %d |\n", skipped)
	}
}

func ratio(passed, asked int) string {
	if asked == 0 {
		return "–"
	}
	return fmt.Sprintf("%d/%d", passed, asked)
}

func section(b *strings.Builder, title string, results []Result, belongs func(Result) bool, why func(Result) string) {
	begun := false
	for _, r := range results {
		if !belongs(r) {
			continue
		}
		if !begun {
			fmt.Fprintf(b, "\n## %s\n\n| Case | Level | What is promised | Why |\n|---|---|---|---|\n", title)
			begun = true
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.ID, r.Level, cell(r.Title), cell(why(r)))
	}
}

// cell is text that stays in its cell.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(text)
}

// Matrix writes what several servers did with each case, a column for each run.
func Matrix(w io.Writer, runs []*Run) error {
	var b strings.Builder
	b.WriteString("# Conformance\n\n|  |")
	for _, r := range runs {
		fmt.Fprintf(&b, " %s (%s) |", orUnnamed(r.Target.Name), r.Target.Dialect)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(runs)) + "\n")
	for _, level := range levels {
		fmt.Fprintf(&b, "| **%s** |", level)
		for _, r := range runs {
			passed, asked := 0, 0
			for _, res := range r.Worst() {
				if res.Level != level || res.Outcome == string(conformance.Skip) {
					continue
				}
				asked++
				if res.Outcome == string(conformance.Pass) {
					passed++
				}
			}
			fmt.Fprintf(&b, " **%s** |", ratio(passed, asked))
		}
		b.WriteString("\n")
	}
	var ids []string
	titles := map[string]string{}
	for _, r := range runs {
		for _, res := range r.Worst() {
			if _, seen := titles[res.ID]; !seen {
				ids = append(ids, res.ID)
				titles[res.ID] = res.Title
			}
		}
	}
	for _, id := range ids {
		fmt.Fprintf(&b, "| %s %s |", id, cell(titles[id]))
		for _, r := range runs {
			fmt.Fprintf(&b, " %s |", outcomeOf(r, id))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func outcomeOf(r *Run, id string) string {
	for _, res := range r.Worst() {
		if res.ID != id {
			continue
		}
		if res.Outcome == string(conformance.Fail) {
			return "**fail** (" + res.Level + ")"
		}
		return res.Outcome
	}
	return ""
}
