package conformance_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/revurb/revurb/conformance"
)

var update = flag.Bool("update", false, "append new IDs to ids.txt")

// TestIDs holds that an ID, once published, stays: reports, lists of known
// failures and other people's scripts name it.
func TestIDs(t *testing.T) {
	const file = "ids.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	frozen := strings.Fields(string(text))
	var ids []string
	for _, c := range conformance.All() {
		ids = append(ids, c.ID)
	}
	for _, id := range frozen {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is gone; a case keeps its ID, and an ID is never used for another case", id)
		}
	}
	for _, id := range ids {
		if slices.Contains(frozen, id) {
			continue
		}
		if !*update {
			t.Errorf("%s is not in %s: go test ./conformance -run TestIDs -update appends it", id, file)
		}
		frozen = append(frozen, id)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.Join(frozen, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCases holds every case to what a reader of a report needs.
func TestCases(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range conformance.All() {
		if seen[c.ID] {
			t.Errorf("%s is there twice", c.ID)
		}
		seen[c.ID] = true
		for field, text := range map[string]string{"Title": c.Title, "Source": c.Source, "Requirement": c.Requirement} {
			if text == "" {
				t.Errorf("%s has no %s", c.ID, field)
			}
		}
		levels := []conformance.Level{conformance.Must, conformance.Should, conformance.May, conformance.NA}
		if !slices.Contains(levels, c.Level) || c.Reverb != "" && !slices.Contains(levels, c.Reverb) {
			t.Errorf("%s has the levels %q and %q", c.ID, c.Level, c.Reverb)
		}
		if c.Run == nil {
			t.Errorf("%s does nothing", c.ID)
		}
		for _, need := range c.Needs {
			if !slices.ContainsFunc(conformance.Claims, func(x conformance.Claim) bool { return x.Capability == need }) {
				t.Errorf("%s needs %s, which is not among Claims", c.ID, need)
			}
		}
	}
}
