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
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
)

// frameSize is that of the messages that are fanned out.
const frameSize = 200

const testPath = "/app/" + testKey

// news is a message that makes a frame of frameSize bytes.
func news(channel string) protocol.Message {
	m := protocol.Message{Event: "news", Channel: channel, Data: []byte(`""`)}
	pad := frameSize - len(frame.Text(m.Encode()).Wire()) - 2 // the header grows by two
	m.Data = []byte(`"` + strings.Repeat("x", pad) + `"`)
	return m
}

func BenchmarkEncode(b *testing.B) {
	m := news("room")
	b.ReportAllocs()
	for b.Loop() {
		frame.Of(m.Size(), m.Append) // as the hub does
	}
}

// BenchmarkFanout is the processor time of this process for one message to one
// client. It is compared to the floor, a loop of nothing but the system call
// that writes one frame, over the same sockets; and to the library's own way to
// broadcast, over sockets of its own. In a window of 16, so many messages are
// published without waiting for the clients; the floor always waits.
//
// The three take turns, so that all of them meet the same machine.
func BenchmarkFanout(b *testing.B) {
	for _, c := range []struct{ clients, window int }{{1000, 1}, {1000, 16}, {5000, 1}, {5000, 16}} {
		b.Run(fmt.Sprintf("1x%d/window%d", c.clients, c.window), func(b *testing.B) {
			tap := new(tap)
			s := start(b, setup{listen: tap.listen})
			ours := gather(b, s.addr, clients{N: c.clients, Path: testPath, Channels: []string{"room"}})
			lib := startLibrary(b)
			theirs := gather(b, lib.addr, clients{N: c.clients, Path: "/"})

			m, fds := news("room"), tap.fds(b)
			wire, payload, data := frame.Text(m.Encode()).Wire(), frame.Text(m.Encode()).Payload(), string(m.Data[1:len(m.Data)-1])
			floor := fanout{crowd: ours, window: 1, publish: func() {
				for _, fd := range fds {
					writeRaw(b, fd, wire)
				}
			}}
			server := fanout{crowd: ours, window: c.window, publish: func() { s.publish(b, "room", data) }}
			library := fanout{crowd: theirs, window: c.window, publish: func() { lib.broadcast(payload) }}

			const turn = 16 // messages
			runtime.GC()
			b.ResetTimer()
			for range b.N {
				for _, f := range []*fanout{&floor, &server, &library} {
					f.run(b, turn, c.clients)
				}
			}
			deliveries := float64(b.N * turn * c.clients)
			b.ReportMetric(0, "ns/op") // of all three, which is nothing
			b.ReportMetric(float64(server.cpu)/deliveries, "ns-cpu/delivery")
			b.ReportMetric(float64(floor.cpu)/deliveries, "ns-cpu/floor")
			b.ReportMetric(float64(server.allocs)/deliveries, "allocs/delivery")
			b.ReportMetric(float64(server.cpu)/float64(floor.cpu), "x-floor")
			b.ReportMetric(float64(library.cpu)/float64(floor.cpu), "x-floor-of-library")
		})
	}
}

// BenchmarkFanout2000x1 is as BenchmarkFanout, for 2,000 channels of one client
// each: every delivery is a message of its own, that has to be encoded, and
// finds its channel.
func BenchmarkFanout2000x1(b *testing.B) {
	const channels = 2000
	tap := new(tap)
	s := start(b, setup{listen: tap.listen})
	all := gather(b, s.addr, clients{N: channels, Path: testPath, Channels: []string{"room"}, Apart: true})
	rooms := make([]string, channels)
	for i := range rooms {
		rooms[i] = apart("room", i)
	}
	m, fds := news(rooms[0]), tap.fds(b)
	wire := frame.Text(m.Encode()).Wire()
	server := fanout{crowd: all, window: 1, publish: func() {
		for _, room := range rooms {
			if err := s.hub.Publish(b.Context(), s.app, hub.Event{Channel: room, Name: m.Event, Data: m.Data}); err != nil {
				b.Fatal(err)
			}
		}
	}}
	floor := fanout{crowd: all, window: 1, publish: func() {
		for _, fd := range fds {
			writeRaw(b, fd, wire)
		}
	}}
	const turn = 16
	runtime.GC()
	b.ResetTimer()
	for range b.N {
		floor.run(b, turn, channels)
		server.run(b, turn, channels)
	}
	deliveries := float64(b.N * turn * channels)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(server.cpu)/deliveries, "ns-cpu/delivery")
	b.ReportMetric(float64(floor.cpu)/deliveries, "ns-cpu/floor")
	b.ReportMetric(float64(server.cpu)/float64(floor.cpu), "x-floor")
}

// fanout is one way to send a message to every client, and what it has cost.
type fanout struct {
	crowd   *crowd
	window  int
	publish func()

	cpu    time.Duration
	allocs uint64
}

func (f *fanout) run(tb testing.TB, messages, clients int) {
	allocs, before := mallocs(), cpu(tb)
	for range messages / f.window {
		for range f.window {
			f.publish()
		}
		f.crowd.await(f.window * clients * frameSize)
	}
	f.cpu += cpu(tb) - before
	f.allocs += mallocs() - allocs
}

func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func mallocs() uint64 { return memory().Mallocs }

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
	mu   sync.Mutex // guards what follows
	all  map[*gws.Conn]bool
}

func startLibrary(tb testing.TB) *library {
	tb.Helper()
	ln := listenTCP(tb)
	lib := &library{addr: ln.Addr(), all: map[*gws.Conn]bool{}}
	up := gws.NewUpgrader(lib, &gws.ServerOption{ReadBufferSize: 512})
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ws, err := up.Upgrade(w, r); err == nil {
			lib.mu.Lock()
			lib.all[ws] = true
			lib.mu.Unlock()
			go ws.ReadLoop()
		}
	})}
	go srv.Serve(ln)
	tb.Cleanup(func() {
		srv.Close()
		lib.mu.Lock()
		defer lib.mu.Unlock()
		for ws := range lib.all {
			ws.NetConn().Close()
		}
	})
	return lib
}

// OnClose implements gws.Event.
func (l *library) OnClose(ws *gws.Conn, _ error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, ws)
}

func (l *library) connections() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

func (l *library) broadcast(payload []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := gws.NewBroadcaster(gws.OpcodeText, payload)
	for ws := range l.all {
		_ = b.Broadcast(ws)
	}
	_ = b.Close()
}

// BenchmarkConnect is the processor time of this process for a client that
// connects and subscribes, a few at a time as after a restart. It is compared
// to the library's handshake with nothing behind it, in turns.
func BenchmarkConnect(b *testing.B) {
	const turn = 1000 // clients
	s, lib := start(b, setup{}), startLibrary(b)
	server := arrival{addr: s.addr, who: clients{Path: testPath, Channels: []string{"room"}}, left: func() int { return s.connections(b) }}
	library := arrival{addr: lib.addr, who: clients{Path: "/"}, left: lib.connections}
	for range b.N {
		for _, a := range []*arrival{&library, &server} {
			a.run(b, turn)
		}
	}
	b.ReportMetric(0, "ns/op") // of both, and with what they do to leave
	b.ReportMetric(float64(server.cpu.Nanoseconds())/1000/float64(b.N*turn), "us-cpu/conn")
	b.ReportMetric(float64(library.cpu.Nanoseconds())/1000/float64(b.N*turn), "us-cpu/bare-handshake")
	b.ReportMetric(float64(server.cpu)/float64(library.cpu), "x-bare-handshake")
}

// arrival is clients that connect to a server, and what it has cost there.
type arrival struct {
	addr net.Addr
	who  clients
	left func() int // clients that are still connected
	cpu  time.Duration
}

func (a *arrival) run(tb testing.TB, n int) {
	runtime.GC()
	a.who.N = n
	before := cpu(tb)
	all := gather(tb, a.addr, a.who)
	a.cpu += cpu(tb) - before
	all.leave()
	eventually(tb, "all clients are gone", func() bool { return a.left() == 0 })
}

// BenchmarkIdle10000 is the memory of this process for each of 10,000 clients
// that are subscribed to two channels and silent: as they are when they have
// come, and after a garbage collection. Its time has no meaning.
func BenchmarkIdle10000(b *testing.B) {
	const idle = 10_000
	s := start(b, setup{app: func(a *app.App) { a.MaxConnections = 0 }})
	warm, _ := s.connect(b)
	warm.subscribe("room")
	settle()
	rss, heap, stacks, goroutines := resident(b), memory().HeapAlloc, memory().StackInuse, runtime.NumGoroutine()
	gather(b, s.addr, clients{N: idle, Path: testPath, Channels: []string{"room", "hall"}})
	asIs := resident(b)
	settle()
	b.ReportMetric(float64(asIs-rss)/idle, "B-rss-as-is/conn")
	b.ReportMetric(float64(resident(b)-rss)/idle, "B-rss/conn")
	b.ReportMetric(float64(memory().HeapAlloc-heap)/idle, "B-heap/conn")
	b.ReportMetric(float64(memory().StackInuse-stacks)/idle, "B-stack/conn")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/idle, "goroutines/conn")
	b.ReportMetric(0, "ns/op")
}

func settle() {
	for range 3 {
		runtime.GC()
	}
	debug.FreeOSMemory()
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
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
