package websocket

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"

	"github.com/lxzan/gws"
)

const (
	// readBuffer is small as there is one for each connection, and enough as
	// most messages are.
	readBuffer = 384

	// rejectedLimit is for what clients send that are not admitted, which
	// nobody reads.
	rejectedLimit = 4 << 10

	// defaultLimit is for apps that have none: there must be one.
	defaultLimit = 10_000
)

// upgraders are the library's: one for every limit on the size of messages,
// with compression and without.
type upgraders struct {
	mu  sync.Mutex // guards what follows
	all map[upgraderKey]*gws.Upgrader
}

type upgraderKey struct {
	limit   int
	deflate bool
}

func (u *upgraders) get(k upgraderKey) *gws.Upgrader {
	u.mu.Lock()
	defer u.mu.Unlock()
	up := u.all[k]
	if up == nil {
		up = newUpgrader(k)
		if u.all == nil {
			u.all = map[upgraderKey]*gws.Upgrader{}
		}
		u.all[k] = up
	}
	return up
}

func newUpgrader(k upgraderKey) *gws.Upgrader {
	return gws.NewUpgrader(events{}, &gws.ServerOption{
		ReadMaxPayloadSize: k.limit,
		ReadBufferSize:     readBuffer,
		CheckUtf8Enabled:   true,
		ParallelGolimit:    1, // it allocates a queue for them, used or not
		NewSession:         func() gws.SessionStorage { return noSession{} },
		PermessageDeflate: gws.PermessageDeflate{
			Enabled:  k.deflate,
			PoolSize: runtime.GOMAXPROCS(0), // half a megabyte each
		},
	})
}

// upgrade answers the handshake, which is known to be one, and makes s ready
// to be read from.
func (s *socket) upgrade(up *gws.Upgrader, key string) error {
	header := http.Header{
		"Upgrade":               {"websocket"},
		"Connection":            {"Upgrade"},
		"Sec-Websocket-Version": {"13"},
		"Sec-Websocket-Key":     {key},
	}
	if s.deflate {
		header["Sec-Websocket-Extensions"] = []string{"permessage-deflate"}
	}
	// The library gets the essence of the request only. It has seen all sorts
	// of spellings by now, and may not keep the rest of it in memory.
	r := &http.Request{Method: http.MethodGet, Header: header}
	lib := (*library)(s)
	buffered := bufio.NewReaderSize(lib, readBuffer)
	ws, err := up.UpgradeFromConn(lib, buffered, r)
	if err != nil {
		return fmt.Errorf("answer handshake: %w", err)
	}
	s.ws, s.buffered = ws, buffered
	return nil
}

// hijack takes the connection over from net/http, with what the client has
// sent right after the handshake.
func hijack(w http.ResponseWriter) (nc net.Conn, early []byte, err error) {
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over connection: %w", err)
	}
	if n := rw.Reader.Buffered(); n > 0 {
		early = make([]byte, n)
		_, _ = rw.Reader.Read(early) // reads what is buffered, and all of it
	}
	return nc, early, nil
}
