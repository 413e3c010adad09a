package websocket_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// The clients of the benchmarks are in a process of their own: their memory,
// their processor time and their file descriptors are not the server's.

const childEnv = "REVURB_TEST_CLIENTS"

// crowd is a process full of clients.
type crowd struct {
	t     testing.TB
	in    io.Writer
	out   *bufio.Reader
	bytes int // that the clients must have read, all together
}

// gather starts n clients, each of which is connected to path when it returns
// and subscribed to the channels.
func gather(t testing.TB, addr net.Addr, n int, path string, channels ...string) *crowd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join(append([]string{addr.String(), strconv.Itoa(n), path}, channels...), " "))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &crowd{t: t, in: in, out: bufio.NewReader(out)}
	t.Cleanup(func() {
		_ = in.Close() // ends the process
		_ = cmd.Wait()
	})
	c.confirm()
	return c
}

// await waits until the clients have read n bytes more.
func (c *crowd) await(n int) {
	c.bytes += n
	if _, err := fmt.Fprintln(c.in, c.bytes); err != nil {
		c.t.Fatal(err)
	}
	c.confirm()
}

func (c *crowd) confirm() {
	if line, err := c.out.ReadString('\n'); line != "ok\n" {
		c.t.Fatalf("clients failed: %q, %v", line, err)
	}
}

// serveChild is the process that gather starts. It reports whether this is one.
func serveChild() bool {
	args := strings.Fields(os.Getenv(childEnv))
	if len(args) == 0 {
		return false
	}
	n, _ := strconv.Atoi(args[1])
	if err := runCrowd(args[0], n, args[2], args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func runCrowd(addr string, n int, path string, channels []string) error {
	var read counter
	read.reached = sync.NewCond(&read.mu)
	for i := range n {
		nc, err := net.Dial("tcp", addr)
		if err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		if err := enter(nc, path, channels); err != nil {
			return fmt.Errorf("client %d: %w", i, err)
		}
		go read.from(nc)
	}
	fmt.Println("ok")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); fmt.Println("ok") {
		target, err := strconv.ParseInt(in.Text(), 10, 64)
		if err != nil {
			return err
		}
		read.await(target)
	}
	return nil
}

// enter upgrades and subscribes.
func enter(nc net.Conn, path string, channels []string) error {
	out := []byte(handshake(path))
	until := "\r\n\r\n"
	for _, ch := range channels {
		out = append(out, masked(finText, `{"event":"pusher:subscribe","data":{"channel":"`+ch+`"}}`)...)
		until = `succeeded","channel":"` + ch + `","data":"{}"}`
	}
	if _, err := nc.Write(out); err != nil {
		return err
	}
	var in []byte
	for buf := make([]byte, 1024); !bytes.Contains(in, []byte(until)); {
		k, err := nc.Read(buf)
		if err != nil {
			return fmt.Errorf("after %q: %w", in, err)
		}
		in = append(in, buf[:k]...)
	}
	return nil
}

type counter struct {
	n, target atomic.Int64
	mu        sync.Mutex
	reached   *sync.Cond
}

func (c *counter) from(nc net.Conn) {
	buf := make([]byte, 512)
	for {
		k, err := nc.Read(buf)
		if err != nil {
			return
		}
		if k == len(buf) && len(buf) < 64<<10 {
			buf = make([]byte, 4*len(buf))
		}
		if n := c.n.Add(int64(k)); n >= c.target.Load() {
			c.mu.Lock()
			c.reached.Broadcast()
			c.mu.Unlock()
		}
	}
}

func (c *counter) await(target int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target.Store(target)
	for c.n.Load() < target {
		c.reached.Wait()
	}
}
