package websocket_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/lxzan/gws"

	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
)

// frameSize is that of the messages that are fanned out.
const frameSize = 200

// news is a message that makes a frame of frameSize bytes.
func news() protocol.Message {
	m := protocol.Message{Event: "news", Channel: "room", Data: []byte(`""`)}
	pad := frameSize - len(frame.Text(m.Encode()).Wire()) - 2 // the header grows by two
	m.Data = []byte(`"` + strings.Repeat("x", pad) + `"`)
	return m
}

func BenchmarkEncode(b *testing.B) {
	m := news()
	b.ReportAllocs()
	for b.Loop() {
		frame.Text(m.Encode())
	}
}

// BenchmarkFanOut is the processor time of this process for one message to one
// client, and how that compares to the floor: a loop that does nothing but the
// system call that writes the frame, over the same sockets. In a window of 16,
// so many messages are published without waiting for the clients.
func BenchmarkFanOut(b *testing.B) {
	for _, clients := range []int{1000, 5000} {
		floor := 0.0
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			tap := new(tap)
			s := start(b, setup{listen: tap.listen})
			all := gather(b, s.addr, clients, "/app/"+testKey, "room")
			b.Run("floor", func(b *testing.B) {
				fds, p := tap.fds(b), frame.Text(news().Encode()).Wire()
				floor = fanOut(b, all, clients, 1, 0, func() {
					for _, fd := range fds {
						writeRaw(b, fd, p)
					}
				})
			})
			for _, window := range []int{1, 16} {
				b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
					data := string(news().Data[1 : len(news().Data)-1])
					fanOut(b, all, clients, window, floor, func() { s.publish(b, "room", data) })
				})
			}
		})
		b.Run(fmt.Sprintf("library/clients=%d", clients), func(b *testing.B) {
			lib := startLibrary(b)
			all := gather(b, lib.addr, clients, "/")
			payload := frame.Text(news().Encode()).Payload()
			for _, window := range []int{1, 16} {
				b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
					fanOut(b, all, clients, window, floor, func() { lib.broadcast(payload) })
				})
			}
		})
	}
}

// fanOut publishes b.N messages and returns the microseconds that one delivery
// took.
func fanOut(b *testing.B, all *crowd, clients, window int, floor float64, publish func()) float64 {
	runtime.GC()
	before, allocs := cpu(b), mallocs()
	for i := 0; i < b.N; i += window {
		n := min(window, b.N-i)
		for range n {
			publish()
		}
		all.await(n * clients * frameSize)
	}
	deliveries := float64(b.N) * float64(clients)
	us := float64((cpu(b) - before).Nanoseconds()) / 1000 / deliveries
	b.ReportMetric(us, "cpu-µs/delivery")
	b.ReportMetric(float64(mallocs()-allocs)/deliveries, "allocs/delivery")
	if floor > 0 {
		b.ReportMetric(us/floor, "x-floor")
	}
	return us
}

func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func writeRaw(b *testing.B, fd int, p []byte) {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	if int(n) != len(p) {
		b.Fatalf("wrote %d of %d bytes: %v", int(n), len(p), errno)
	}
}

// tap is a listener that remembers what it has accepted.
type tap struct {
	net.Listener
	mu  sync.Mutex
	all []net.Conn
}

func (t *tap) listen(tb testing.TB) net.Listener {
	t.Listener = listenTCP(tb)
	return t
}

func (t *tap) Accept() (net.Conn, error) {
	nc, err := t.Listener.Accept()
	if err == nil {
		t.mu.Lock()
		t.all = append(t.all, nc)
		t.mu.Unlock()
	}
	return nc, err
}

func (t *tap) fds(tb testing.TB) (fds []int) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, nc := range t.all {
		raw, err := nc.(*net.TCPConn).SyscallConn()
		if err != nil {
			tb.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { fds = append(fds, int(fd)) }); err != nil {
			tb.Fatal(err)
		}
	}
	return fds
}

// library is what the library does by itself, to compare.
type library struct {
	gws.BuiltinEventHandler
	addr net.Addr
	mu   sync.Mutex
	all  []*gws.Conn
}

func startLibrary(tb testing.TB) *library {
	tb.Helper()
	ln := listenTCP(tb)
	lib := &library{addr: ln.Addr()}
	up := gws.NewUpgrader(lib, &gws.ServerOption{ReadBufferSize: 512})
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := up.Upgrade(w, r); err == nil {
			lib.mu.Lock()
			lib.all = append(lib.all, ws)
			lib.mu.Unlock()
			go ws.ReadLoop()
		}
	})}
	go srv.Serve(ln)
	tb.Cleanup(func() {
		srv.Close()
		for _, ws := range lib.all {
			ws.NetConn().Close()
		}
	})
	return lib
}

func (l *library) broadcast(payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := gws.NewBroadcaster(gws.OpcodeText, payload)
	for _, ws := range l.all {
		_ = b.Broadcast(ws)
	}
	_ = b.Close()
}

// BenchmarkPing is a message and the answer to it.
func BenchmarkPing(b *testing.B) {
	s := start(b, setup{})
	c, _ := s.connect(b)
	b.ReportAllocs()
	for b.Loop() {
		c.pings()
	}
}

// BenchmarkConnect is a handshake and two subscriptions, one client after the
// other.
func BenchmarkConnect(b *testing.B) {
	s := start(b, setup{})
	before := cpu(b)
	gather(b, s.addr, b.N, "/app/"+testKey, "room", "hall")
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/connection")
}

// BenchmarkIdle is the memory of this process for each of 10,000 clients that
// are subscribed to two channels and silent. Its time has no meaning.
func BenchmarkIdle(b *testing.B) {
	const clients = 10_000
	s := start(b, setup{app: func(a *app.App) { a.MaxConnections = 0 }})
	warm, _ := s.connect(b)
	warm.subscribe("room")
	settle()
	rss, heap, goroutines := resident(b), heapInUse(), runtime.NumGoroutine()
	gather(b, s.addr, clients, "/app/"+testKey, "room", "hall")
	asIs := resident(b)
	settle()
	b.ReportMetric(float64(asIs-rss)/clients, "rss-as-is/connection")
	b.ReportMetric(float64(resident(b)-rss)/clients, "rss/connection")
	b.ReportMetric(float64(heapInUse()-heap)/clients, "heap/connection")
	b.ReportMetric(float64(stack())/clients, "stack/connection")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/clients, "goroutines/connection")
	b.ReportMetric(0, "ns/op")
}

func settle() {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
}

func heapInUse() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func stack() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.StackInuse)
}

// resident is the memory of this process that the kernel has given it.
func resident(tb testing.TB) int64 {
	tb.Helper()
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		tb.Skip("needs /proc: ", err)
	}
	var size, rss int64
	if _, err := fmt.Sscan(string(raw), &size, &rss); err != nil {
		tb.Fatal(err)
	}
	return rss * int64(os.Getpagesize())
}
