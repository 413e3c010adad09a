package webhook

import (
	"log/slog"
	"net/url"
	"sync"
	"time"
)

// logEvery is how often the log says that events of a URL were dropped.
const logEvery = time.Minute

// drops logs what was dropped, not one line for each event.
type drops struct {
	// Static after construction.
	log  *slog.Logger
	app  string
	host string // the path and the query may be secret

	mu     sync.Mutex // guards what follows
	last   time.Time  // that it was logged
	events int        // since then
}

func newDrops(log *slog.Logger, app, target string) *drops {
	d := &drops{log: log, app: app}
	if u, err := url.Parse(target); err == nil {
		d.host = u.Host
	}
	return d
}

// add counts dropped events. why is logged with the first of a minute.
func (d *drops) add(n int, why string) {
	d.mu.Lock()
	d.events += n
	now := time.Now()
	events := d.events
	quiet := !d.last.IsZero() && now.Sub(d.last) < logEvery
	if !quiet {
		d.last, d.events = now, 0
	}
	d.mu.Unlock()
	if !quiet {
		d.log.Warn("webhooks were dropped", "app", d.app, "host", d.host, "events", events, "why", why)
	}
}
