package examples_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestREADMEs starts a server with what every example says to paste.
func TestREADMEs(t *testing.T) {
	readmes, err := filepath.Glob("*/README.md")
	if err != nil || len(readmes) < 6 {
		t.Fatalf("got %d READMEs, %v; want 6 or more", len(readmes), err)
	}
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
				start(t, b, file)
			}
		})
	}
}

var paths = regexp.MustCompile(`(?m)^path = "(.*)"$`)

// start starts a server with a configuration whose plugins are all file, and
// stops it once it listens.
func start(t *testing.T, toml, file string) {
	t.Helper()
	dir := t.TempDir()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	named := paths.FindAllStringSubmatch(toml, -1)
	if len(named) == 0 {
		t.Fatalf("it names no plugin:\n%s", toml)
	}
	for _, m := range named {
		to := filepath.Join(dir, m[1])
		if got, want := filepath.Base(to), filepath.Base(file); got != want {
			t.Errorf("the path ends in %s, want %s", got, want)
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "revurb.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), revurb, "start", "--port", "0")
	cmd.Dir = dir
	// What is for the tests is a variable that the server does not know.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REVURB_") })
	cmd.Env = append(env, "REVURB_ADMIN_LISTEN=", "REVURB_HOOKS_CACHE_DIR=")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listens := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "  Server ") {
			listens = true
			if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); err != nil || !listens {
		t.Errorf("revurb start: %v, in\n%s\n%s", err, toml, log.String())
	}
	if got := strings.Count(log.String(), "loaded plugin"); got != len(named) {
		t.Errorf("it loaded %d plugins, want %d:\n%s", got, len(named), log.String())
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
