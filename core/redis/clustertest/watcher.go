package clustertest

import (
	"sync"
	"time"

	"github.com/revurb/revurb/core/redis/redistest"
)

// watcher looks on at what is written in Redis for backends: at a copy that nodes
// keep for it, or at what they read themselves. Of the latter it does not see what a
// node has told and deleted before the watcher has asked again.
type watcher struct {
	c       *cluster
	servers []*redistest.Server
	done    chan struct{}
	running sync.WaitGroup
}

func watch(c *cluster) *watcher {
	w := &watcher{c: c, servers: c.place.servers(), done: make(chan struct{})}
	name := ":ev"
	if c.Record != nil {
		name = ":wrote"
	}
	for _, part := range c.Parts {
		w.running.Go(func() { w.follow(part + name) })
	}
	return w
}

func (w *watcher) stop() {
	close(w.done)
	w.running.Wait()
}

// follow reads a stream from whichever server has it.
func (w *watcher) follow(stream string) {
	last := "0"
	for at := 0; ; {
		select {
		case <-w.done:
			return
		default:
		}
		life := w.c.outbox.lifetime()
		v, err := w.servers[at%len(w.servers)].Try("XREAD", "COUNT", 1000, "BLOCK", 300, "STREAMS", stream, last)
		if err != nil { // it is not there, or another one has the stream
			at++
			<-time.After(20 * time.Millisecond)
			continue
		}
		for _, e := range entries(v) {
			last = e.id
			if came, known := kinds[e.fields["e"]]; known {
				w.c.outbox.written(life, news{subject{channelOf(e.fields["t"]), e.fields["u"]}, came})
			}
		}
	}
}

var kinds = map[string]bool{"occupied": true, "added": true, "vacated": false, "removed": false}

// entry is one of a stream.
type entry struct {
	id     string
	fields map[string]string
}

// entries reads what XREAD says of one stream.
func entries(v any) (all []entry) {
	streams, _ := v.([]any)
	for _, v := range streams {
		stream, _ := v.([]any) // its name and its entries
		if len(stream) < 2 {
			continue
		}
		list, _ := stream[1].([]any)
		for _, v := range list {
			pair, _ := v.([]any) // the ID and the fields
			if len(pair) < 2 {
				continue
			}
			e := entry{id: text(pair[0]), fields: map[string]string{}}
			fields, _ := pair[1].([]any)
			for i := 0; i+1 < len(fields); i += 2 {
				e.fields[text(fields[i])] = text(fields[i+1])
			}
			all = append(all, e)
		}
	}
	return all
}
