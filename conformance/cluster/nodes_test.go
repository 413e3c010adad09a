package cluster_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/targets"
)

// bin is the built server.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "revurb-cluster-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is in the directory for that
		bin = filepath.Join(dir, "revurb")
		if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/revurb").CombinedOutput(); err != nil { //nolint:gosec // these words
			fmt.Fprintf(os.Stderr, "build the server: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// node is a process of the server, which keeps its address when it is started
// again.
type node struct {
	tb     testing.TB
	bin    string // if it is another than the built server
	file   string // its configuration
	port   string
	hooks  string // more of its [webhooks] section
	more   string // of its configuration, at the end
	output output

	mu   sync.Mutex // guards what follows
	cmd  *exec.Cmd
	done chan error // has how it ended
}

// nodes are a cluster.
type nodes struct {
	all      []*node
	receiver *conformance.WebhookReceiver
}

// start starts n nodes, whose [redis] section has the given lines.
func start(tb testing.TB, n int, redis string, prepare ...func(*node)) *nodes {
	tb.Helper()
	readSources(tb)
	receiver, err := conformance.NewWebhookReceiver("127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = receiver.Close() })
	c := &nodes{receiver: receiver}
	for range n {
		d := &node{tb: tb, file: filepath.Join(tb.TempDir(), "revurb.toml"), port: "0"}
		for _, f := range prepare {
			f(d)
		}
		c.all = append(c.all, d)
		d.write(redis, receiver)
		if err := d.start(); err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			_ = d.kill() // it may be dead
			if tb.Failed() {
				tb.Logf("the node at port %s wrote:\n%s", d.port, d.output.String())
			}
		})
		d.write(redis, receiver) // with the port that it was given
	}
	return c
}

// readSources looks at every file that the server is built of: the go command
// remembers the result of a test until a file changes that the test has looked
// at.
func readSources(tb testing.TB) {
	tb.Helper()
	for _, dir := range []string{"cmd", "core", "hooks", "plugins", "sdk/go"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

func (n *node) write(redis string, receiver *conformance.WebhookReceiver) {
	n.tb.Helper()
	text := fmt.Sprintf(`
[server]
host = "127.0.0.1"
port = %s
drain_timeout = "500ms"

[admin]
listen = ""

[redis]
%s

[webhooks]
allow = ["127.0.0.0/8"]
%s

[[apps]]
id = "main-id"
key = "main-key"
secret = "main-secret"
max_presence_members = 0

[[apps.webhooks]]
url = %q

[[apps.webhooks]]
url = %q
events = ["channel_existence"]

%s
`, n.port, redis, n.hooks, receiver.URL, receiver.Only, n.more)
	if err := os.WriteFile(n.file, []byte(text), 0o600); err != nil {
		n.tb.Fatal(err)
	}
}

// patience is how long a test waits for what is to come, and limit how long it may
// take. Only what hangs takes so long, however busy the machine is.
const (
	patience = time.Minute
	limit    = 10 * time.Minute
)

// start starts the process, and waits until it answers.
func (n *node) start() error {
	cmd := exec.Command(cmp.Or(n.bin, bin), "start", "--config", n.file) //nolint:gosec // we have built it
	cmd.Dir = filepath.Dir(n.file)
	cmd.Env = []string{"HOME=" + cmd.Dir, "PATH=" + os.Getenv("PATH")}
	cmd.Stdout, cmd.Stderr = &n.output, &n.output
	from := n.output.len()
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	n.mu.Lock()
	n.cmd, n.done = cmd, done
	n.mu.Unlock()
	for deadline := time.Now().Add(patience); ; {
		if n.port == "0" {
			if _, rest, ok := strings.Cut(n.output.String()[from:], "http://127.0.0.1:"); ok {
				n.port = rest[:strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })]
			}
		}
		if n.port != "0" {
			if res, err := http.Get("http://127.0.0.1:" + n.port + "/"); err == nil {
				_ = res.Body.Close()
				return nil
			}
		}
		select {
		case err := <-done:
			return fmt.Errorf("the server ends: %v\n%s", err, n.output.String())
		case <-time.After(10 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server does not answer:\n%s", n.output.String())
		}
	}
}

func (n *node) signal(s os.Signal) error { return n.cmd.Process.Signal(s) }

// end ends the process, and waits for that.
func (n *node) end(s os.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.signal(s); err != nil {
		return err
	}
	select {
	case err := <-n.done:
		if s == syscall.SIGTERM && err != nil {
			return fmt.Errorf("the server has not stopped as it should: %w\n%s", err, n.output.String())
		}
		return nil
	case <-time.After(patience):
		return errors.New("the server does not end after " + s.String())
	}
}

func (n *node) kill() error {
	_ = n.signal(syscall.SIGCONT)
	return n.end(syscall.SIGKILL)
}

func (c *nodes) control(verb string, i int) error {
	n := c.all[i]
	switch verb {
	case "kill":
		return n.kill()
	case "drain":
		return n.end(syscall.SIGTERM)
	case "start":
		return n.start()
	case "stop":
		return n.signal(syscall.SIGSTOP)
	case "cont":
		return n.signal(syscall.SIGCONT)
	}
	return fmt.Errorf("there is no %q", verb)
}

// target is the cluster as the suite sees it.
func (c *nodes) target(tb testing.TB) conformance.Target {
	tb.Helper()
	description, err := targets.Load("revurb")
	if err != nil {
		tb.Fatal(err)
	}
	t := description.Target(conformance.Pusher)
	var urls []string
	for _, n := range c.all {
		urls = append(urls, "ws://127.0.0.1:"+n.port)
	}
	if err := targets.ParseURLs(&t, urls, ""); err != nil {
		tb.Fatal(err)
	}
	t.App = conformance.Credentials{ID: "main-id", Key: "main-key", Secret: "main-secret"}
	t.Limits.PresenceMembers = 0
	t.Webhooks, t.Control = c.receiver, c.control
	t.Timeout, t.Quiet = patience, 300*time.Millisecond
	t.Settle()
	return t
}

// judge has a test end as a case does.
func judge(t *testing.T, res conformance.Result) {
	t.Helper()
	if res.Outcome == conformance.Pass {
		return
	}
	trace := res.Trace
	if len(trace) > 200 {
		trace = trace[len(trace)-200:]
	}
	for _, e := range trace {
		t.Logf("%10s  %-8s %-2s %.200s", e.After.Round(time.Millisecond), e.Kind, e.Conn, e.Text)
	}
	t.Errorf("%s: %s\n%s\nexpected %s\nactual   %s", res.Outcome, res.Case.Title, res.Failure.Message, res.Failure.Expected, res.Failure.Actual)
}

// play runs f as a case against a cluster, of which nothing is said in a report.
func play(t *testing.T, target conformance.Target, f func(*conformance.T)) {
	t.Helper()
	r := conformance.Runner{Target: target, Limit: limit}
	judge(t, r.One(t.Context(), &conformance.Case{ID: "cluster.test", Title: t.Name(), Level: conformance.Must, Timing: true, Run: f}))
}

// output is what a process has written.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *output) len() int { return len(o.String()) }
