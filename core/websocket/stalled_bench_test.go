package websocket_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
)

// BenchmarkStalled is how long a message takes to the clients that read, when
// one in ten does not and when all do: 200 clients, 500 messages a second of
// 2,000 bytes. Those that do not read are behind at first, and then cut off.
// Its time has no meaning.
//
// Whatever else the machine does shows in the slowest messages first. So there
// are several rounds, in turns, and of each kind the quietest counts.
func BenchmarkStalled(b *testing.B) {
	const (
		rounds   = 4
		watchers = 200
		stalled  = watchers / 10
	)
	var none, some percentiles
	for range rounds {
		ages, _ := paced(b, clients{N: watchers})
		none.quieter(ages)
		ages, cut := paced(b, clients{N: watchers, Stalled: stalled})
		some.quieter(ages)
		if cut != stalled {
			b.Errorf("got %d clients cut off, want %d", cut, stalled)
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(none.p50.Microseconds()), "us-p50/none-stalled")
	b.ReportMetric(float64(some.p50.Microseconds()), "us-p50/stalled")
	b.ReportMetric(float64(none.p99.Microseconds()), "us-p99/none-stalled")
	b.ReportMetric(float64(some.p99.Microseconds()), "us-p99/stalled")
	b.ReportMetric(float64(some.p99)/float64(none.p99), "x-none-stalled")
}

type percentiles struct{ p50, p99 time.Duration }

func (p *percentiles) quieter(q percentiles) {
	if p.p99 == 0 || q.p99 < p.p99 {
		*p = q
	}
}

// paced publishes to the clients for a few seconds. It returns how old the
// messages were when they were read, and how many clients were cut off.
func paced(b *testing.B, who clients) (ages percentiles, cut int) {
	const (
		messages = 1500
		every    = 2 * time.Millisecond
		size     = 2000 // of the data
	)
	message := func() string {
		s := stamp()
		return s + strings.Repeat("x", size-len(s))
	}
	who.Path, who.Channels = testPath, []string{"room"}
	who.Stamped = len(frame.Text(protocol.Message{Event: "news", Channel: "room", Data: fmt.Appendf(nil, "%q", message())}.Encode()).Wire())
	s := start(b, setup{})
	all := gather(b, s.addr, who)
	runtime.GC()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for range messages {
		s.publish(b, "room", message())
		<-tick.C
	}
	all.await(messages * (who.N - who.Stalled) * who.Stamped)
	sorted := all.ages()
	ages = percentiles{sorted[len(sorted)/2], sorted[len(sorted)*99/100]}
	cut = int(s.metric(b, `revurb_slow_consumers_total{app="app-id"}`))
	all.leave()
	return ages, cut
}
