package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/revurb/revurb/conformance"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []*suite `xml:"testsuite"`
}

type suite struct {
	Name      string     `xml:"name,attr"`
	Tests     int        `xml:"tests,attr"`
	Failures  int        `xml:"failures,attr"`
	Errors    int        `xml:"errors,attr"`
	Skipped   int        `xml:"skipped,attr"`
	Time      string     `xml:"time,attr"`
	Timestamp string     `xml:"timestamp,attr"`
	Cases     []testcase `xml:"testcase"`

	took float64
}

type testcase struct {
	Name      string   `xml:"name,attr"`
	Class     string   `xml:"classname,attr"`
	Time      string   `xml:"time,attr"`
	Failure   *problem `xml:"failure"`
	Error     *problem `xml:"error"`
	Skipped   *problem `xml:"skipped"`
	SystemOut string   `xml:"system-out,omitempty"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// JUnit writes the run for a CI: a suite for each area. A promise that is not
// kept is a failure, and one of which the suite could not find out an error.
func JUnit(w io.Writer, r *Run) error {
	all := suites{Name: "conformance of " + orUnnamed(r.Target.Name), Time: seconds(r.TookMS)}
	byArea := map[string]*suite{}
	for _, area := range areas(r.Results) {
		byArea[area] = &suite{Name: "conformance." + area, Timestamp: r.Started.UTC().Format("2006-01-02T15:04:05")}
		all.Suites = append(all.Suites, byArea[area])
	}
	for _, res := range r.Results {
		s := byArea[res.Area]
		s.add(res)
	}
	for _, s := range all.Suites {
		s.Time = seconds(s.took)
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
		all.Skipped += s.Skipped
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *suite) add(res Result) {
	s.Tests++
	s.took += res.TookMS
	c := testcase{Name: res.ID + " " + res.Title, Class: s.Name, Time: seconds(res.TookMS)}
	if res.Round > 0 {
		c.Name += fmt.Sprintf(" (round %d)", res.Round+1)
	}
	p := &problem{Message: oneLine(res), Type: res.Level, Text: explain(res)}
	switch conformance.Outcome(res.Outcome) {
	case conformance.Fail, conformance.Fixed:
		s.Failures++
		c.Failure = p
	case conformance.Broken:
		s.Errors++
		c.Error = p
	case conformance.Skip:
		s.Skipped++
		c.Skipped = &problem{Message: res.Message}
	case conformance.Known:
		s.Skipped++
		c.Skipped = &problem{Message: "known failure: " + res.Reason}
	}
	if res.Failed() {
		c.SystemOut = traceText(res)
	}
	s.Cases = append(s.Cases, c)
}

func seconds(ms float64) string { return fmt.Sprintf("%.3f", ms/1000) }

// oneLine is why a case failed, as short as it can be said.
func oneLine(res Result) string {
	text := res.Message
	if res.Expected != "" {
		text += ": expected " + res.Expected + ", got " + res.Actual
	}
	return clip(strings.Join(strings.Fields(text), " "), 300)
}

func explain(res Result) string {
	return fmt.Sprintf("requirement: %s\nwhat:        %s\nexpected:    %s\nactual:      %s\nsource:      %s\n",
		res.Requirement, res.Message, res.Expected, res.Actual, res.Source)
}

func traceText(res Result) string {
	var b strings.Builder
	for _, l := range res.Trace {
		b.WriteString(clip(l.String(), 2_000) + "\n")
	}
	return b.String()
}
