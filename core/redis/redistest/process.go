package redistest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// A process is one run of redis-server.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

func run(dir string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("redis-server", args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = dieWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // says "killed", as it should
		close(p.done)
	}()
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// kill ends p at once, even if it is stopped, and waits for that.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails only if it has ended
	<-p.done
}

// stop halts p; when it returns nothing of p runs any more.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	return until(5*time.Second, func() error {
		if p.running() {
			return fmt.Errorf("process %d still runs after SIGSTOP", p.pid())
		}
		return nil
	})
}

func (p *process) cont() error { return p.cmd.Process.Signal(syscall.SIGCONT) }

// running reports whether p is not stopped. Where there is no /proc, SIGSTOP
// is taken at its word.
func (p *process) running() bool {
	state, err := p.state()
	return err == nil && state != 'T'
}

// stopped reports whether p is known to be.
func (p *process) stopped() bool {
	state, err := p.state()
	return err == nil && state == 'T'
}

// state returns the state of p as Linux writes it in one letter.
func (p *process) state() (byte, error) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(p.pid()) + "/stat")
	if err != nil {
		return 0, err
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	if len(state) == 0 {
		return 0, fmt.Errorf("process %d has no state", p.pid())
	}
	return state[0], nil
}

// until calls check until it returns nil, or returns its last error after
// limit.
func until(limit time.Duration, check func() error) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		err := check()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after %v: %w", limit, err)
		}
	}
}
