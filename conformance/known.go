package conformance

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ReadKnown reads a list of known failures: on each line an ID or a pattern,
// and the reason. What begins with # is for people.
func ReadKnown(r io.Reader) (map[string]string, error) {
	known := map[string]string{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		id, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" {
			return nil, fmt.Errorf("line %d: %s has no reason: write it after the ID", n, id)
		}
		known[id] = reason
	}
	return known, lines.Err()
}

// WriteKnown writes the failures among results as a list that ReadKnown reads.
func WriteKnown(w io.Writer, results []Result) error {
	var lines []string
	for _, res := range results {
		var line string
		switch res.Outcome {
		case Fail:
			line = res.Case.ID + "  " + strings.Join(strings.Fields(res.Failure.Message+": expected "+res.Failure.Expected+", got "+res.Failure.Actual), " ")
		case Known:
			line = res.Case.ID + "  " + res.Reason
		default:
			continue
		}
		if len(line) > 200 {
			line = strings.ToValidUTF8(line[:200], "") + "…"
		}
		begins := func(l string) bool { return strings.HasPrefix(l, res.Case.ID+" ") }
		if !slices.ContainsFunc(lines, begins) { // of several rounds
			lines = append(lines, line)
		}
	}
	_, err := fmt.Fprintf(w, "# Known failures: the ID of a case, or a pattern, and the reason. One that passes\n# fails the run: take it off the list.\n%s", strings.Join(append(lines, ""), "\n"))
	return err
}
