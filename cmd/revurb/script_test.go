package main

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/hooks/wasm/wasmtest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"revurb": main})
}

// TestScripts runs the stories of testdata/script, one for each verb: what is
// typed, and what comes back.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", "atexit_sleep_ms=0") // or each command takes a second to exit under -race
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await":  await,
			"busy":   busy,
			"exits":  exits,
			"guest":  guest,
			"mode":   mode,
			"signal": sendSignal,
			"status": status,
		},
	})
}

// patience is how long a test waits for what should take no time.
const patience = 2 * time.Minute

// await FILE REGEXP [NAME] waits until the file has a match. The first group
// of it becomes the variable NAME.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: await file regexp [name]")
	}
	re := regexp.MustCompile(args[1])
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		text, _ := os.ReadFile(ts.MkAbs(args[0])) // there may be none yet
		if m := re.FindSubmatch(text); m != nil {
			if len(args) == 3 {
				ts.Setenv(args[2], string(m[1]))
			}
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s has no %s:\n%s", args[0], args[1], text)
		}
	}
}

// busy NAME takes a port, for as long as the script runs, and puts it into the
// variable NAME.
func busy(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { l.Close() })
	ts.Setenv(args[0], strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
}

// exits CODE COMMAND... runs a command that must exit with the code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("sh", append([]string{"-c", `"$@"; code=$?; [ $code = ` + args[0] + ` ] || { echo "exit code $code" >&2; exit 1; }`, "sh"}, args[1:]...)...)
	if err != nil {
		ts.Fatalf("want exit code %s: %v", args[0], err)
	}
}

// guest FILE MESSAGE makes a plugin that denies every subscription with the
// message.
func guest(ts *testscript.TestScript, _ bool, args []string) {
	response := abi.Append(nil, abi.Int(uint64(abi.Deny)), abi.Int(0), []byte(args[1]))
	const at = 1 << 10
	m := wasmtest.Guest().Data(at, response).Hook(abi.OnSubscribe, "", wasmtest.Answer(at, int32(len(response))))
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path+".new", m.Bytes(), 0o600))
	ts.Check(os.Rename(path+".new", path))
}

// mode FILE MODE wants a file to have the permissions, in octal.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := strconv.FormatInt(int64(info.Mode().Perm()), 8); got != args[1] {
		ts.Fatalf("%s has mode %s, want %s", args[0], got, args[1])
	}
}

// signals are the names that scripts use.
var signals = map[string]syscall.Signal{
	"HUP":  syscall.SIGHUP,
	"INT":  syscall.SIGINT,
	"QUIT": syscall.SIGQUIT,
	"TERM": syscall.SIGTERM,
}

// signal NAME FILE sends a signal to the process whose ID is in the file.
func sendSignal(ts *testscript.TestScript, _ bool, args []string) {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(args[1])))
	ts.Check(err)
	p, err := os.FindProcess(pid)
	ts.Check(err)
	ts.Check(p.Signal(signals[args[0]]))
}

// status CODE URL gets the URL and wants the code.
func status(ts *testscript.TestScript, _ bool, args []string) {
	client := http.Client{Timeout: patience}
	resp, err := client.Get(args[1])
	ts.Check(err)
	resp.Body.Close()
	if got := strconv.Itoa(resp.StatusCode); got != args[0] {
		ts.Fatalf("GET %s: got %s, want %s", args[1], got, args[0])
	}
}
