package websocket_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The clients of the benchmarks are in a process of their own: their memory,
// their processor time and their file descriptors are not the server's.

const childEnv = "REVURB_TEST_CLIENTS"

// clients is what the process is told to be.
type clients struct {
	Addr     string
	Path     string
	Channels []string
	N        int

	// Apart gives every client channels of its own, by the names of apart.
	Apart bool

	// Stalled is how many of the N clients read nothing once they are
	// subscribed.
	Stalled int

	// Stamped is the size of all frames that come, if they carry a stamp: the
	// clients then note how old each of them is.
	Stamped int
}

// crowd is a process full of clients.
type crowd struct {
	t     testing.TB
	in    io.WriteCloser
	out   *bufio.Reader
	cmd   *exec.Cmd
	bytes int // that the clients must have read, all together
}

// gather starts clients, each of which is connected and subscribed when it
// returns.
func gather(t testing.TB, addr net.Addr, who clients) *crowd {
	t.Helper()
	who.Addr = addr.String()
	spec, err := json.Marshal(who)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
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
	c := &crowd{t: t, in: in, out: bufio.NewReader(out), cmd: cmd}
	t.Cleanup(c.leave)
	c.confirm()
	return c
}

// leave ends the process, and with it every connection.
func (c *crowd) leave() {
	if c.cmd != nil {
		_ = c.in.Close()
		_ = c.cmd.Wait()
		c.cmd = nil
	}
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

// ages returns how old the frames were that came since it was last asked,
// youngest first.
func (c *crowd) ages() (ages []time.Duration) {
	if _, err := fmt.Fprintln(c.in, askAges); err != nil {
		c.t.Fatal(err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		c.t.Fatal(err)
	}
	if err := json.Unmarshal(line, &ages); err != nil {
		c.t.Fatal(err)
	}
	return ages
}

const askAges = "ages"

// serveChild is the process that gather starts. It reports whether this is one.
func serveChild() bool {
	spec := os.Getenv(childEnv)
	if spec == "" {
		return false
	}
	var who clients
	err := json.Unmarshal([]byte(spec), &who)
	if err == nil {
		err = who.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func (who clients) run() error {
	var read counter
	read.reached = sync.NewCond(&read.mu)
	all, err := who.connect()
	if err != nil {
		return err
	}
	for _, nc := range all[who.Stalled:] {
		if who.Stamped > 0 {
			go read.stamped(nc, who.Stamped)
		} else {
			go read.from(nc)
		}
	}
	fmt.Println("ok")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if in.Text() == askAges {
			if err := json.NewEncoder(os.Stdout).Encode(read.take()); err != nil {
				return err
			}
			continue
		}
		target, err := strconv.ParseInt(in.Text(), 10, 64)
		if err != nil {
			return err
		}
		read.await(target)
		fmt.Println("ok")
	}
	for _, nc := range all {
		_ = nc.Close()
	}
	return nil
}

// connect connects a few clients at a time, so that the server is neither idle
// between them nor out of its accept queue.
func (who clients) connect() ([]net.Conn, error) {
	const atOnce = 8
	all, errs := make([]net.Conn, who.N), make([]error, atOnce)
	var wg sync.WaitGroup
	for k := range atOnce {
		wg.Go(func() {
			for i := k; i < who.N && errs[k] == nil; i += atOnce {
				all[i], errs[k] = who.one(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// one upgrades and subscribes.
func (who clients) one(i int) (net.Conn, error) {
	nc, err := net.Dial("tcp", who.Addr)
	if err != nil {
		return nil, err
	}
	out := []byte(handshake(who.Path))
	until := "\r\n\r\n"
	for _, ch := range who.Channels {
		if who.Apart {
			ch = apart(ch, i)
		}
		out = append(out, masked(finText, `{"event":"pusher:subscribe","data":{"channel":"`+ch+`"}}`)...)
		until = `succeeded","channel":"` + ch + `","data":"{}"}`
	}
	if _, err := nc.Write(out); err != nil {
		return nil, err
	}
	var in []byte
	for buf := make([]byte, 1024); !bytes.Contains(in, []byte(until)); {
		k, err := nc.Read(buf)
		if err != nil {
			return nil, fmt.Errorf("after %q: %w", in, err)
		}
		in = append(in, buf[:k]...)
	}
	return nc, nil
}

// apart is the channel of client i alone.
func apart(channel string, i int) string { return fmt.Sprintf("%s-%05d", channel, i) }

// counter counts what the clients have read.
type counter struct {
	n, target atomic.Int64
	mu        sync.Mutex // guards what follows
	reached   *sync.Cond
	ages      []time.Duration
}

// from reads as it comes.
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
		c.add(k)
	}
}

// stamped reads frames of one size, and notes how old they are.
func (c *counter) stamped(nc net.Conn, size int) {
	in, wire := bufio.NewReaderSize(nc, 16<<10), make([]byte, size)
	for {
		if _, err := io.ReadFull(in, wire); err != nil {
			return
		}
		age, err := ageOf(wire)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		c.mu.Lock()
		c.ages = append(c.ages, age)
		c.mu.Unlock()
		c.add(size)
	}
}

func (c *counter) add(k int) {
	if n := c.n.Add(int64(k)); n >= c.target.Load() {
		c.mu.Lock()
		c.reached.Broadcast()
		c.mu.Unlock()
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

// take returns the ages, and forgets them.
func (c *counter) take() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	ages := c.ages
	c.ages = nil
	slices.Sort(ages)
	return ages
}

// A stamp is when a message was published, by the clock that both processes
// share.
const (
	stampMark  = "@"
	stampWidth = 20
)

func stamp() string {
	return fmt.Sprintf("%s%0*d", stampMark, stampWidth, time.Now().UnixNano())
}

// ageOf finds the stamp behind the four bytes of a frame's header.
func ageOf(wire []byte) (time.Duration, error) {
	_, after, _ := bytes.Cut(wire[4:], []byte(stampMark))
	if len(after) < stampWidth {
		return 0, fmt.Errorf("no stamp in %q", wire)
	}
	at, err := strconv.ParseInt(string(after[:stampWidth]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read stamp: %w", err)
	}
	return time.Duration(time.Now().UnixNano() - at), nil
}
