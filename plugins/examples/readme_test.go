package examples_test

import (
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/loader"
	"github.com/revurb/revurb/hooks/wasm"
)

// TestREADMEs loads what every example says to paste, as the server would.
func TestREADMEs(t *testing.T) {
	readmes, err := filepath.Glob("*/README.md")
	if err != nil || len(readmes) < 6 {
		t.Fatalf("got %d READMEs, %v; want 6 or more", len(readmes), err)
	}
	cache := t.TempDir()
	for _, path := range readmes {
		example := filepath.Dir(path)
		t.Run(example, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			found := blocks(string(text), "toml")
			if len(found) == 0 {
				t.Fatal("it has no toml to paste")
			}
			file := plugin(t, example)
			for _, b := range found {
				load(t, b, file, cache)
			}
		})
	}
}

// load loads a configuration whose plugins are all file.
func load(t *testing.T, toml, file, cache string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(config.Options{Dir: dir})
	if err != nil {
		t.Fatalf("%v, in\n%s", err, toml)
	}
	if len(l.Config.Plugins) == 0 {
		t.Fatalf("it has no [[plugins]]:\n%s", toml)
	}
	for i := range l.Config.Plugins {
		p := &l.Config.Plugins[i]
		if got, want := filepath.Base(p.Path), filepath.Base(file); got != want {
			t.Errorf("the path ends in %s, want %s", got, want)
		}
		p.Path = file
	}
	ld := loader.New(new(hooks.Hooks), loader.Settings{CacheDir: cache}, wasm.Host{}, "1.0.0", slog.New(slog.NewTextHandler(io.Discard, nil)))
	if _, err := ld.Reload(t.Context(), l.Config.Plugins); err != nil {
		t.Errorf("%v, in\n%s", err, toml)
	}
	if err := ld.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// blocks returns the fenced blocks of a language.
func blocks(markdown, language string) (all []string) {
	for {
		_, rest, ok := strings.Cut(markdown, "```"+language+"\n")
		if !ok {
			return all
		}
		b, after, _ := strings.Cut(rest, "```")
		all, markdown = append(all, b), after
	}
}
