package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/config"
)

func TestLogger(t *testing.T) {
	tests := map[string]struct {
		config config.Log
		isJSON bool
		lines  int
	}{
		"JSON where there is no terminal": {config.Log{Level: "info", Format: "auto"}, true, 2},
		"text if it is wanted":            {config.Log{Level: "info", Format: "text"}, false, 2},
		"nothing below its level":         {config.Log{Level: "warn", Format: "json"}, true, 1},
		"everything at debug":             {config.Log{Level: "debug", Format: "json"}, true, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			log, err := newLogger(test.config, &b, nil)
			if err != nil {
				t.Fatal(err)
			}
			log.Debug("one", "n", 1)
			log.Info("two", "n", 2)
			log.Warn("three", "n", 3)
			if got := strings.Count(b.String(), "\n"); got != test.lines {
				t.Errorf("got %d lines, want %d:\n%s", got, test.lines, &b)
			}
			for line := range strings.Lines(b.String()) {
				if json.Valid([]byte(line)) != test.isJSON {
					t.Errorf("got %s, want JSON: %t", line, test.isJSON)
				}
				if strings.Contains(line, "\x1b") {
					t.Errorf("there are colors where there is no terminal: %q", line)
				}
			}
		})
	}
}

func TestNoColor(t *testing.T) {
	for env, want := range map[string]bool{"NO_COLOR=1": true, "NO_COLOR=": false, "NO_COLORS=1": false} {
		if got := noColor([]string{"TERM=xterm", env}); got != want {
			t.Errorf("%s: got %t, want %t", env, got, want)
		}
	}
}
