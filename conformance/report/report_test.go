package report_test

import (
	"bytes"
	"encoding/xml"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/report"
)

// a run with every outcome, and with text that is not plain.
func aRun() *report.Run {
	r := &report.Run{
		SchemaVersion: report.SchemaVersion, Suite: "v1", Started: time.Unix(0, 0).UTC(), TookMS: 1234, Seed: 7, Repeat: 1,
		Profile: "full", Level: "MUST",
		Target: report.Target{Name: "example", Dialect: "pusher", URLs: []string{"ws://a"}, HTTP: "http://a", AppID: "1", Capabilities: []string{"presence"}},
	}
	for _, x := range []struct {
		id      string
		level   conformance.Level
		outcome conformance.Outcome
		f       conformance.Failure
	}{
		{"CON-01", conformance.Must, conformance.Pass, conformance.Failure{}},
		{"CON-02", conformance.Must, conformance.Fail, conformance.Failure{Message: "status | <b>", Expected: "200", Actual: "500 </script>"}},
		{"CON-03", conformance.Should, conformance.Fail, conformance.Failure{Message: "a SHOULD"}},
		{"HE-01", conformance.Must, conformance.Broken, conformance.Failure{Message: "the case panics"}},
		{"HE-02", conformance.Must, conformance.Fixed, conformance.Failure{Message: "it passes"}},
		{"HE-03", conformance.Must, conformance.Known, conformance.Failure{Message: "as ever"}},
		{"HE-04", conformance.May, conformance.Skip, conformance.Failure{Message: "the target does not claim presence"}},
	} {
		c := &conformance.Case{ID: x.id, Title: "title of " + x.id, Source: "RFC 6455, section 5", Requirement: "it must & will", Level: x.level}
		res := conformance.Result{
			Case: c, Level: x.level, Outcome: x.outcome, Failure: x.f, Took: 1500 * time.Microsecond,
			Trace: []conformance.Event{{After: time.Millisecond, Kind: "received", Conn: "a", Text: `{"event":"<script>"}`}},
		}
		if x.outcome == conformance.Known {
			res.Reason = "issue 7"
		}
		r.Add(res, x.outcome != conformance.Pass)
	}
	return r
}

func TestCounts(t *testing.T) {
	got := aRun().Counts
	want := report.Counts{Passed: 1, Failed: 4, Skipped: 2, Known: 1, Fixed: 1, Errors: 1, Counting: 3}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestConsole(t *testing.T) {
	var b strings.Builder
	c := report.Console{Out: &b, Total: 7}
	c.Summary(aRun())
	text := b.String()
	for _, want := range []string{
		"× CON-02  title of CON-02 (MUST, fail)",
		"    requirement: it must & will\n    what:        status | <b>\n    expected:    200\n    actual:      500 </script>\n    source:      RFC 6455, section 5\n",
		"    again:       revurb conformance --run CON-02\n",
		"! HE-01  title of HE-01 (MUST, error)",
		"    known:       issue 7\n",
		"- 1 case skipped: the target does not claim presence\n",
		"1 failure among the skipped",
		"1 unexpected pass among the failed",
		"1 failure below MUST: at --level must they do not fail the run.",
		"--shuffle 7\n1 passed, 4 failed, 2 skipped\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in:\n%s", want, text)
		}
	}
	if !strings.HasSuffix(text, "\n1 passed, 4 failed, 2 skipped\n") {
		t.Errorf("the last line is not the counts:\n%s", text)
	}
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\r") {
		t.Error("there are escapes where there is no terminal")
	}
}

func TestProgress(t *testing.T) {
	var b strings.Builder
	c := report.Console{Out: &b, Terminal: true, Total: 2}
	c.Progress(conformance.Result{Case: &conformance.Case{ID: "A-1"}, Outcome: conformance.Fail})
	c.Progress(conformance.Result{Case: &conformance.Case{ID: "A-2"}, Outcome: conformance.Pass})
	if got := b.String(); !strings.Contains(got, "\r\x1b[2K2/2  1 failed") || strings.Contains(got, "\n") {
		t.Errorf("got %q, want one line that is written anew", got)
	}
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.JSON(&b, aRun()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{`"schema_version": 1`, `"seed": 7`, `"outcome": "known failure"`, `"reason": "issue 7"`, `"took_ms": 1.5`, `"at_us": 1000`} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in:\n%s", want, text)
		}
	}
	r, err := report.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if r.Counts != aRun().Counts || len(r.Results) != 7 || r.Results[1].Trace[0].Text != `{"event":"<script>"}` {
		t.Errorf("got %+v back", r)
	}
	if _, err := report.Read(strings.NewReader(`{"schema_version": 99}`)); err == nil || !strings.Contains(err.Error(), "99") {
		t.Errorf("a report of the future: got %v", err)
	}
	if _, err := report.Read(strings.NewReader(`nope`)); err == nil {
		t.Error("what is no JSON is read")
	}
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	if err := report.JUnit(&b, aRun()); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string    `xml:"name,attr"`
				Class   string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 7 || got.Failures != 3 || got.Errors != 1 || got.Skipped != 2 {
		t.Errorf("got %+v", got)
	}
	panics := got.Suites[1].Cases[0]
	if panics.Error == nil || panics.Failure != nil || panics.Name != "HE-01 title of HE-01" || panics.Class != "conformance.HE" {
		t.Errorf("a case that panics is %+v, want an error with a name", panics)
	}
	if fails := got.Suites[0].Cases[1]; fails.Failure == nil || fails.Error != nil {
		t.Errorf("a case that fails is %+v, want a failure", fails)
	}
}

func TestMarkdown(t *testing.T) {
	var b strings.Builder
	if err := report.Markdown(&b, aRun()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| CON | 1/2 | 0/1 | – | 0 |", "| HE | 0/3 | – | – | 1 |", "| **all** | 1/5 | 0/1 | – | 1 |",
		`| CON-02 | MUST | title of CON-02 | status \| &lt;b>: expected 200, got 500 &lt;/script> |`,
		"| HE-03 | MUST | title of HE-03 | issue 7 |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in:\n%s", want, &b)
		}
	}
}

func TestTAP(t *testing.T) {
	var b strings.Builder
	if err := report.TAP(&b, aRun()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1..7\nok 1 - CON-01", "\nnot ok 2 - CON-02", "\nnot ok 6 - HE-03 title of HE-03 # TODO issue 7\n", "\nok 7 - HE-04 title of HE-04 # SKIP "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in:\n%s", want, &b)
		}
	}
}

// TestRounds: a case that failed once has failed.
func TestRounds(t *testing.T) {
	r := &report.Run{Level: "MUST"}
	c := &conformance.Case{ID: "A-1"}
	for round, o := range []conformance.Outcome{conformance.Pass, conformance.Fail, conformance.Pass} {
		r.Add(conformance.Result{Case: c, Level: conformance.Must, Outcome: o, Round: round}, false)
	}
	worst := r.Worst()
	if len(worst) != 1 || worst[0].Outcome != "fail" || r.Counts.String() != "2 passed, 1 failed, 0 skipped" {
		t.Errorf("got %+v, %s", worst, r.Counts)
	}
}

func TestDiff(t *testing.T) {
	run := func(outcomes ...string) *report.Run {
		r := new(report.Run)
		for i, o := range outcomes {
			if o != "" {
				r.Results = append(r.Results, report.Result{ID: string(rune('A' + i)), Outcome: o, Level: "MUST", Message: "it broke"})
			}
		}
		return r
	}
	before := run("pass", "fail", "pass", "pass", "", "", "skip", "pass", "fail")
	after := run("fail", "pass", "skip", "", "pass", "fail", "pass", "pass", "fail")
	var b strings.Builder
	worse, err := report.WriteDiff(&b, report.Diff(before, after))
	if err != nil {
		t.Fatal(err)
	}
	const want = `- A  : pass → fail
    it broke
+ B  : fail → pass
- C  : pass → skip
+ E  : not there → pass
- F  : not there → fail
    it broke
+ G  : skip → pass
- D  : pass → not there
7 changed, 4 for the worse
`
	if b.String() != want || worse != 4 {
		t.Errorf("got %d:\n%s\nwant:\n%s", worse, &b, want)
	}
}

func TestMatrix(t *testing.T) {
	other := aRun()
	other.Target.Name = "other"
	other.Results = other.Results[:2]
	var b strings.Builder
	if err := report.Matrix(&b, []*report.Run{aRun(), other}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"|  | example (pusher) | other (pusher) |", "| **all** | MUST 1/5 · SHOULD 0/1 · MAY – | MUST 1/2 · SHOULD – · MAY – |", "| CON | MUST 1/2 · SHOULD 0/1 · MAY – | MUST 1/2 · SHOULD – · MAY – |",
		"| CON-02 title of CON-02 | **fail** (MUST) | **fail** (MUST) |", "| HE-03 title of HE-03 | known failure |  |",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("there is no %q in:\n%s", want, &b)
		}
	}
}

func TestHTML(t *testing.T) {
	var b strings.Builder
	if err := report.HTML(&b, aRun()); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if found := regexp.MustCompile(`(?i)(src|href)\s*=|url\(|@import|https?://[^<"]*\.(js|css|woff)`).FindString(text); found != "" {
		t.Errorf("the page asks for something else: %s", found)
	}
	if strings.Contains(text, `{"event":"<script>"}`) || strings.Contains(text, "500 </script>") {
		t.Error("what a server sent stands in the page as it came")
	}
	if n := strings.Count(text, `<details class="case"`); n != 7 {
		t.Errorf("got %d cases, want 7", n)
	}
}

// TestHTMLInBrowser loads the page as people do.
func TestHTMLInBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
		}
	}
	if browser == "" {
		const want = "no Chromium is installed: make test installs it where it can"
		if os.Getenv("REVURB_REQUIRE_ALL") != "" {
			t.Fatal(want)
		}
		t.Skip(want)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.HTML(f, aRun()); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		hash, shown string
		hidden      int
	}{
		"everything":     {"", ">7 of 7<", 0},
		"one area":       {"#area=HE", ">4 of 7<", 3},
		"one outcome":    {"#outcome=fail", ">2 of 7<", 5},
		"level and area": {"#level=MUST&area=CON", ">2 of 7<", 5},
		"a search":       {"#text=issue+7", ">1 of 7<", 6},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command(browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
				"--dump-dom", "file://"+file+test.hash).Output()
			if err != nil {
				t.Fatal(err)
			}
			dom := string(out)
			if !strings.Contains(dom, test.shown) {
				t.Errorf("the page does not say %s", test.shown)
			}
			if n := strings.Count(dom, `hidden=""`); n != test.hidden {
				t.Errorf("got %d cases that are hidden, want %d", n, test.hidden)
			}
		})
	}
}
