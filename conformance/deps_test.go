package conformance_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies holds that the suite shares no code with the server that it
// judges: a bug in both would be seen by nobody.
func TestDependencies(t *testing.T) {
	const module = "github.com/revurb/revurb/"
	out, err := exec.Command("go", "list", "-deps", ".", "./client", "./report", "./targets").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := false
	for pkg := range strings.FieldsSeq(string(out)) {
		ours, ok := strings.CutPrefix(pkg, module)
		seen = seen || ours == "conformance/client"
		if ok && ours != "conformance" && !strings.HasPrefix(ours, "conformance/") {
			t.Errorf("the suite depends on %s", ours)
		}
	}
	if !seen {
		t.Errorf("go list does not show what was asked for:\n%s", out)
	}
}
