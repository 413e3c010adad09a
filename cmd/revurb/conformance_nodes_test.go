package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNodeControl(t *testing.T) {
	said := filepath.Join(t.TempDir(), "said")
	script := filepath.Join(t.TempDir(), "nodes")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho \"$@\" >>"+said+"\ntest $2 != kill || { echo gone already; exit 3; }\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	control := nodeControl(script + " of-mine")
	if err := control("start", 2); err != nil {
		t.Errorf("start: %v", err)
	}
	if err := control("kill", 1); err == nil || !strings.Contains(err.Error(), "gone already") {
		t.Errorf("got error %v, want what the command wrote", err)
	}
	if text, err := os.ReadFile(said); err != nil || string(text) != "of-mine start 2\nof-mine kill 1\n" {
		t.Errorf("the command was told %q (%v)", text, err)
	}
	if err := nodeControl("/nowhere/nodes")("start", 0); err == nil || !strings.Contains(err.Error(), "--node-control") {
		t.Errorf("got error %v, want one that names the flag", err)
	}
}
