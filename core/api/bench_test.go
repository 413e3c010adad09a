package api_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/api"
	"github.com/revurb/revurb/core/metrics"
)

// BenchmarkTrigger publishes over one connection that is kept, and compares with
// what the same connection costs when nothing is done: x/hello is how many times
// as long a request takes.
func BenchmarkTrigger(b *testing.B) {
	s := newStage(b, options{})
	mux := http.NewServeMux()
	api.New(api.Config{}, s.apps, s.hub, metrics.New(), slog.New(slog.DiscardHandler)).Register(mux, "")
	mux.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("{}"))
	})
	server := httptest.NewServer(mux)
	b.Cleanup(server.Close)
	body := `{"name":"event","channels":["news"],"data":"` + strings.Repeat("x", 200) + `"}`
	request := func(path, query string) []byte {
		return fmt.Appendf(nil, "POST %s?%s HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			path, query, len(body), body)
	}
	query := s.signedQuery(call{method: "POST", path: "/apps/1/events", body: body})
	trigger, hello := request("/apps/1/events", query), request("/hello", query)
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	round := func(request []byte) time.Duration {
		start := time.Now()
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			b.Fatalf("got %s (%v), want 200", resp.Status, err)
		}
		return time.Since(start)
	}
	var triggers, hellos time.Duration
	b.ReportAllocs()
	for b.Loop() { // in turn, so that both meet the same machine
		triggers += round(trigger)
		hellos += round(hello)
	}
	b.ReportMetric(float64(triggers.Nanoseconds())/float64(b.N), "ns/trigger")
	b.ReportMetric(float64(hellos.Nanoseconds())/float64(b.N), "ns/hello")
	b.ReportMetric(float64(triggers)/float64(hellos), "x/hello")
}
