package plugintest

import (
	"context"
	"log/slog"
	"sync"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/wasm"
)

// world is what a plugin reaches beyond its call. It keeps what it is told.
type world struct {
	mu        sync.Mutex // guards what follows
	lines     []string
	published []Published
}

func (w *world) clear() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines, w.published = nil, nil
}

func (w *world) publish(_ context.Context, p wasm.Publication) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.published = append(w.published, Published{p.Channel, p.Event, string(p.Data)})
	return nil
}

func (w *world) logger() *slog.Logger { return slog.New(lines{w}) }

// lines is a log that keeps the messages alone.
type lines struct{ w *world }

func (lines) Enabled(context.Context, slog.Level) bool { return true }
func (l lines) WithAttrs([]slog.Attr) slog.Handler     { return l }
func (l lines) WithGroup(string) slog.Handler          { return l }
func (l lines) Handle(_ context.Context, r slog.Record) error {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	l.w.lines = append(l.w.lines, r.Message)
	return nil
}

// got is what has come of a call: a verdict, or an error.
func (w *world) got(v *hooks.Verdict, err error) Got {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := Got{Log: w.lines, Publish: w.published}
	if err != nil {
		g.Failure = err.Error()
		return g
	}
	g.Status, g.Code = v.Status.String(), v.Code
	for to, b := range map[**string][]byte{&g.Message: v.Message, &g.Event: v.Event, &g.Data: v.Data, &g.UserID: v.UserID, &g.UserInfo: v.UserInfo} {
		if b != nil {
			s := string(b)
			*to = &s
		}
	}
	return g
}
