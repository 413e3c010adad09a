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
	table(&b, worst)
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
func table(b *strings.Builder, results []Result) {
	b.WriteString("| Area | MUST | SHOULD | MAY | Not asked |\n|---|---|---|---|---|\n")
	for _, area := range append(areas(results), "") {
		name := area
		if area == "" {
			name = "**all**"
		}
		skipped := 0
		for _, r := range results {
			if (area == "" || r.Area == area) && r.Outcome == string(conformance.Skip) {
				skipped++
			}
		}
		fmt.Fprintf(b, "| %s | %s | %d |\n", name, strings.Join(tally(results, area), " | "), skipped)
	}
}

// tally is how many cases of an area passed, of those that were asked, for each
// level. Area "" is all.
func tally(results []Result, area string) (cells []string) {
	for _, level := range levels {
		passed, asked := 0, 0
		for _, r := range results {
			if area != "" && r.Area != area || r.Level != level || r.Outcome == string(conformance.Skip) {
				continue
			}
			asked++
			if r.Outcome == string(conformance.Pass) {
				passed++
			}
		}
		cells = append(cells, ratio(passed, asked))
	}
	return cells
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

// Matrix writes what several servers did, a column for each run: a row for all,
// one for each area, and one for each case.
func Matrix(w io.Writer, runs []*Run) error {
	var b strings.Builder
	head := "|  |"
	var everything []Result
	byID := make([]map[string]Result, len(runs))
	for i, r := range runs {
		head += fmt.Sprintf(" %s (%s) |", orUnnamed(r.Target.Name), r.Target.Dialect)
		byID[i] = map[string]Result{}
		for _, res := range r.Worst() {
			byID[i][res.ID] = res
			everything = append(everything, res)
		}
	}
	head += "\n|---|" + strings.Repeat("---|", len(runs)) + "\n"
	b.WriteString("# Conformance\n\nCases that passed, of those that were asked.\n\n" + head)
	for _, area := range append([]string{""}, areas(everything)...) {
		name := area
		if area == "" {
			name = "**all**"
		}
		fmt.Fprintf(&b, "| %s |", name)
		for _, r := range runs {
			n := tally(r.Worst(), area)
			fmt.Fprintf(&b, " MUST %s · SHOULD %s · MAY %s |", n[0], n[1], n[2])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Case by case\n\n" + head)
	seen := map[string]bool{}
	for _, res := range everything {
		if seen[res.ID] {
			continue
		}
		seen[res.ID] = true
		fmt.Fprintf(&b, "| %s %s |", res.ID, cell(res.Title))
		for i := range runs {
			fmt.Fprintf(&b, " %s |", verdict(byID[i][res.ID]))
		}
		b.WriteString("\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// verdict is how a case ended, in a cell; "" if it was not there.
func verdict(r Result) string {
	if r.Outcome == string(conformance.Fail) {
		return "**fail** (" + r.Level + ")"
	}
	return r.Outcome
}
