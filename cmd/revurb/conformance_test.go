package main

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/revurb/revurb/conformance/targets"
)

// TestConformanceDocs holds docs/conformance.md to the commands: every flag in
// it exists, every flag that exists is in it, its target file can be read, and
// its exit codes are those of the help.
func TestConformanceDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	docs := string(text)
	c := &cli{stdout: io.Discard, stderr: io.Discard}
	cmd := c.conformanceCommand()

	known := map[string]bool{"--config": true} // of start
	for _, sub := range append(cmd.Commands(), cmd) {
		sub.Flags().VisitAll(func(f *pflag.Flag) { known["--"+f.Name] = true })
	}
	inDocs := map[string]bool{"--config": true}
	for _, flag := range regexp.MustCompile("--[a-z][a-z0-9-]*").FindAllString(docs, -1) {
		inDocs[flag] = true
		if !known[flag] {
			t.Errorf("the docs have %s, and the command does not", flag)
		}
	}
	for flag := range known {
		if !inDocs[flag] {
			t.Errorf("%s is not in the docs", flag)
		}
	}
	for _, code := range []int{exitRuntime, exitUsage, exitUnreachable, exitNoMatch, exitCredentials, exitNotPusher} {
		if !strings.Contains(docs, fmt.Sprintf("\n| %d |", code)) {
			t.Errorf("exit code %d is not in the docs", code)
		}
	}
	_, block, _ := strings.Cut(docs, "```toml\n")
	block, _, _ = strings.Cut(block, "```")
	if _, err := targets.Read("docs/conformance.md", []byte(block)); err != nil {
		t.Error(err)
	}
}
