package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/revurb/revurb/conformance"
)

//go:embed report.html.tmpl
var page string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"slug":    func(s string) string { return strings.ReplaceAll(s, " ", "-") },
	"took":    took,
	"unnamed": orUnnamed,
	"clip":    func(s string) string { return clip(s, 4_000) },
}).Parse(page))

// summary is a row of the table above the cases.
type summary struct {
	Name  string
	Cells []string // for each level
}

// HTML writes the run as one page that needs nothing else: no script, style,
// font or picture of elsewhere. Without scripts it shows everything, and does
// not filter.
func HTML(w io.Writer, r *Run) error {
	worst := r.Worst()
	data := struct {
		*Run
		Worst    []Result
		Areas    []string
		Levels   []string
		Outcomes []conformance.Outcome
		Summary  []summary
	}{r, worst, areas(worst), levels, outcomes, nil}
	for _, area := range append(data.Areas, "") {
		data.Summary = append(data.Summary, summary{area, tally(worst, area)})
	}
	return pageTemplate.Execute(w, data)
}
