package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/revurb/revurb/conformance"
)

// TAP writes the run in the Test Anything Protocol, version 13.
func TAP(w io.Writer, r *Run) error {
	var b strings.Builder
	fmt.Fprintf(&b, "TAP version 13\n1..%d\n", len(r.Results))
	for i, res := range r.Results {
		verdict, directive := "ok", ""
		switch conformance.Outcome(res.Outcome) {
		case conformance.Skip:
			directive = " # SKIP " + oneLine(res)
		case conformance.Known:
			verdict, directive = "not ok", " # TODO "+res.Reason
		case conformance.Pass:
		default:
			verdict = "not ok"
		}
		title := strings.ReplaceAll(res.Title, "#", `\#`)
		fmt.Fprintf(&b, "%s %d - %s %s%s\n", verdict, i+1, res.ID, title, directive)
		if res.Failed() {
			for line := range strings.Lines(explain(res)) {
				b.WriteString("# " + line)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
