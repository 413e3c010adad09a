package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"github.com/revurb/revurb/core/config"
)

// newLogger logs to w as c says: text on a terminal and JSON elsewhere, if it
// does not say. Only a terminal gets colors, and only without NO_COLOR.
func newLogger(c config.Log, w io.Writer, environ []string) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return nil, fmt.Errorf("log.level: %w", err)
	}
	terminal := isTerminal(w)
	if c.Format == "text" || c.Format == "auto" && terminal {
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, NoColor: !terminal || noColor(environ)})), nil
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// noColor reports whether NO_COLOR is set to anything (no-color.org).
func noColor(environ []string) bool {
	return slices.ContainsFunc(environ, func(pair string) bool {
		value, ok := strings.CutPrefix(pair, "NO_COLOR=")
		return ok && value != ""
	})
}
