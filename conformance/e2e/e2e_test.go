package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// root is the top of the repository.
const root = "../.."

// minNode is the oldest major version of Node that the scenarios run on.
const minNode = 20

// patience is how long one file may take. Each scenario has a limit of its own;
// this one is for a process that does not end after them.
const patience = 15 * time.Minute

// needs are the scenario files that need more than Node.
var needs = map[string]func(*testing.T) (env string){
	"browser": chromium,
	"cluster": redis,
	"plugins": plugins,
	"reload":  plugins,
}

// TestClients runs every scenario file in a Node process of its own, and each
// of its scenarios as a subtest.
func TestClients(t *testing.T) {
	node := node(t)
	server := build(t)
	files, err := filepath.Glob("scenarios/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d scenario files and error %v, want some", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".test.js")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{"REVURB_BIN=" + server}
			if need := needs[name]; need != nil {
				env = append(env, need(t))
			}
			run(t, node, file, env)
		})
	}
}

// event is a line of lib/reporter.js.
type event struct {
	Type  string `json:"type"` // start or end
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Skip  any    `json:"skip"` // true, or why
	Error string `json:"error"`
}

func run(t *testing.T, node, file string, env []string) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test-reporter=./lib/reporter.js", file)
	cmd.Env = append(os.Environ(), env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops its servers
	cmd.WaitDelay = 10 * time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ran := report(t, stdout)
	err = cmd.Wait()
	if t.Failed() {
		t.Logf("node wrote:\n%s", stderr.Bytes())
		return
	}
	if err != nil {
		t.Errorf("after %d scenarios: %v\n%s", ran, err, stderr.Bytes())
	}
	if ran == 0 {
		t.Errorf("%s has no scenario", file)
	}
}

// report makes a subtest of each scenario, as long as it takes, and returns how
// many there were.
func report(t *testing.T, r io.Reader) (ran int) {
	t.Helper()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	next := func(t *testing.T) (e event, ok bool) {
		for lines.Scan() {
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				t.Logf("node wrote: %s", lines.Bytes()) // a scenario that prints
				continue
			}
			return e, true
		}
		if err := lines.Err(); err != nil {
			t.Error(err)
		}
		return e, false
	}
	for {
		start, ok := next(t)
		if !ok {
			return ran
		}
		if start.Type != "start" { // what fails outside of a scenario has no start
			t.Errorf("%s: %s", start.Name, start.Error)
			continue
		}
		ran++
		t.Run(start.Name, func(t *testing.T) {
			end, ok := next(t)
			switch {
			case !ok:
				t.Error("node ended in the middle of it")
			case end.Name != start.Name:
				t.Errorf("got the end of %q, want that of %q", end.Name, start.Name)
			case !end.OK:
				t.Error(end.Error)
			case end.Skip != nil:
				missing(t, "%v", end.Skip)
			}
		})
	}
}

// build builds the server, once for all scenarios.
func build(t *testing.T) string {
	t.Helper()
	readSources(t)
	bin, err := filepath.Abs(filepath.Join(t.TempDir(), "revurb"))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "-o", bin}
	if race {
		args = append(args, "-race")
	}
	goTool(t, nil, append(args, "./cmd/revurb")...)
	return bin
}

// readSources looks at every file that the result of this test depends on. The
// go command remembers the result of a test until a file changes that the test
// has looked at; what only its child processes look at, it cannot know.
func readSources(t *testing.T) {
	t.Helper()
	for _, dir := range []string{"cmd", "core", "hooks", "plugins", "sdk/go", "conformance/e2e/lib", "conformance/e2e/scenarios", "conformance/e2e/testdata"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum", "conformance/e2e/package-lock.json"} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			t.Fatal(err)
		}
	}
}

// node finds Node and the packages that the scenarios import.
func node(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: install Node.js %d or newer, with npm, and run make test", minNode)
	}
	out, err := exec.CommandContext(t.Context(), path, "--version").Output()
	if err != nil {
		t.Fatalf("node --version: %v", err)
	}
	version := strings.TrimSpace(string(out))
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < minNode {
		missing(t, "node is %s: install Node.js %d or newer", version, minNode)
	}
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		missing(t, "the clients are not installed: make test installs them, and so does npm ci in conformance/e2e")
	}
	return path
}

// chromium finds a browser, and tells the scenarios with an environment
// variable.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("REVURB_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return "REVURB_CHROMIUM=" + path
		}
	}
	missing(t, "no Chromium is installed: make test installs it when run by root; otherwise install it (Debian: apt-get install chromium) or name one in REVURB_CHROMIUM")
	return ""
}

// redis looks for the Redis that the scenarios start.
func redis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		missing(t, "redis-server is not installed: install it (Debian: apt-get install redis-server)")
	}
	return "REVURB_REDIS=" + path
}

// missing skips a test for want of something, or fails it where everything is
// to be there.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("REVURB_REQUIRE_ALL") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
