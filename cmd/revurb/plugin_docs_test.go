package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPluginsPage does what docs/plugins.md says to do, in each of its languages.
func TestPluginsPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/plugins.md")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "revurb"), ".").CombinedOutput(); err != nil {
		t.Fatalf("build revurb: %v\n%s", err, out)
	}
	for title, tools := range map[string][]string{
		"In Go":             {"curl", "openssl", "md5sum"},
		"In AssemblyScript": {"curl", "openssl", "md5sum", "npm"},
	} {
		t.Run(title, func(t *testing.T) {
			for _, tool := range tools {
				if _, err := exec.LookPath(tool); err != nil {
					if os.Getenv("REVURB_REQUIRE_ALL") == "1" {
						t.Fatalf("%s is not installed", tool)
					}
					t.Skipf("%s is not installed", tool)
				}
			}
			_, section, ok := strings.Cut(string(b), "\n## "+title+"\n")
			if !ok {
				t.Fatalf("the page has no %s", title)
			}
			section, _, _ = strings.Cut(section, "\n## ")
			follow(t, section, bin)
		})
	}
}

// step is a block of the page that has a mark: what is done with it, and with
// what.
type step struct{ mark, file, text string }

var marked = regexp.MustCompile("(?s)<!-- (run|background|shows|file: (\\S+)) -->\n```[\\w ]+\n(.*?)```\n")

func steps(section string) (all []step) {
	for _, m := range marked.FindAllStringSubmatch(section, -1) {
		mark, _, _ := strings.Cut(m[1], ":")
		all = append(all, step{mark, m[2], m[3]})
	}
	return all
}

// follow makes a script of the steps of a section, runs it in an empty folder,
// and looks whether each command shows what the page says.
func follow(t *testing.T, section, bin string) {
	t.Helper()
	port := freePort(t)
	dir, outputs := t.TempDir(), t.TempDir()
	all := steps(strings.ReplaceAll(section, "127.0.0.1:8080", "127.0.0.1:"+port))
	if len(all) < 10 {
		t.Fatalf("got %d steps, want at least 10", len(all))
	}
	var script strings.Builder
	script.WriteString("set -e\nserver=\ntrap '[ -z \"$server\" ] || kill $server' EXIT\n")
	for i, s := range all {
		out := filepath.Join(outputs, fmt.Sprint(i))
		switch s.mark {
		case "run":
			fmt.Fprintf(&script, "{\n%s} >%s 2>&1 </dev/null\n", s.text, out)
		case "file":
			fmt.Fprintf(&script, "cat >%s <<'END OF FILE'\n%sEND OF FILE\n", s.file, s.text)
		case "background":
			fmt.Fprintf(&script, "%s >%s 2>&1 </dev/null &\nserver=$!\n", strings.TrimSpace(s.text), out)
			fmt.Fprintf(&script, "until grep -q '^  Server' %s; do kill -0 $server; sleep 0.05; done\n", out)
		}
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	cmd.Dir = dir
	// What is for the tests is a variable that the server does not know.
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "REVURB_") })
	cmd.Env = append(env, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"REVURB_SERVER_PORT="+port, "REVURB_ADMIN_LISTEN=", "GORACE=atexit_sleep_ms=0")
	err := runWithOutput(cmd)
	last := ""
	for i, s := range all {
		out, _ := os.ReadFile(filepath.Join(outputs, fmt.Sprint(i))) // only those that run have one
		switch s.mark {
		case "run":
			last = string(out)
		case "shows":
			shows(t, last, s.text)
		}
		if err != nil && len(out) > 0 {
			t.Logf("%s\n%s", s.text, out)
		}
	}
	if err != nil {
		t.Errorf("follow the page: %v", err)
	}
}

func runWithOutput(cmd *exec.Cmd) error {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// shows wants output to have the lines of want, in order. In them … is any text.
func shows(t *testing.T, output, want string) {
	t.Helper()
	lines := strings.Split(output, "\n")
	for line := range strings.Lines(want) {
		parts := strings.Split(strings.TrimSpace(line), "…")
		for i, p := range parts {
			parts[i] = regexp.QuoteMeta(strings.TrimSpace(p))
		}
		re := regexp.MustCompile(`^\s*` + strings.Join(parts, `.*`) + `\s*$`)
		for len(lines) > 0 && !re.MatchString(lines[0]) {
			lines = lines[1:]
		}
		if len(lines) == 0 {
			t.Fatalf("the page shows %q, which is not in\n%s", strings.TrimSpace(line), output)
		}
		lines = lines[1:]
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
