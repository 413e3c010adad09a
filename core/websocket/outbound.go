package websocket

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

const (
	maxChunk = 64 << 10 // bytes that are written in one go, if they are of more than one frame
	maxBufs  = 64       // frames that are written in one go
)

// owner is told what becomes of its outbound. Its methods are called without
// any lock held.
type owner interface {
	// farewell is what a client reads that does not keep up: frames that say
	// so, the last of them a close frame.
	farewell() []byte

	// slow is called once the farewell is on its way.
	slow()

	// gone is called when nothing can be written any more.
	gone()

	// contain runs f, and goes on if it panics.
	contain(f func())
}

// outbound is what is on its way to one client. Frames are written at once if
// the kernel takes them. What it does not take waits in a queue, and only then
// there is a goroutine, the flusher, that waits for the client to read on.
//
// Whoever sends never waits. Frames are kept by reference: what a thousand
// clients that are behind have not read of one message is in memory once.
type outbound struct {
	// Static after construction.
	owner  owner
	lane   lane
	config *Config

	mu      sync.Mutex // guards what follows; taken before that of a link
	backlog *backlog   // nil if the client has taken all, and there is no flusher
	ended   bool       // nothing more is taken
	broken  bool       // nothing more can be written
}

// backlog is what a client is behind, and for as long as there is one, the
// flusher is at work.
type backlog struct {
	queue [][]byte
	size  int           // bytes of queue, and of what the flusher is writing
	endBy time.Time     // when the last of it must be written; zero if it has not ended
	idle  chan struct{} // closed by the flusher when it is done; nil if nobody waits
}

func (b *backlog) add(p []byte) {
	b.queue = append(b.queue, p)
	b.size += len(p)
}

// send writes p, or puts it in the queue. Nobody may write to p after that.
func (o *outbound) send(p []byte) {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	if o.full(len(p)) {
		o.mu.Unlock()
		o.cutOff()
		return
	}
	err := o.put(p)
	o.mu.Unlock()
	if err != nil {
		o.owner.gone()
	}
}

// full reports whether n bytes more are more than a client may be behind. It
// may always be behind by one frame.
func (o *outbound) full(n int) bool {
	b := o.backlog
	return b != nil && (b.size > 0 && b.size+n > o.config.MaxPendingBytes || len(b.queue) >= o.config.MaxPendingMessages)
}

// put is send, whatever waits already, and with mu held.
func (o *outbound) put(p []byte) error {
	if o.backlog != nil {
		o.backlog.add(p)
		return nil
	}
	n, more, err := o.lane.try(p)
	if err != nil {
		o.breakOff()
		return err
	}
	if more {
		// What is left of a frame that the client has begun to read is given
		// to the flusher at once, so that it is never dropped from the queue.
		o.backlog = &backlog{size: len(p) - n}
		go o.owner.contain(func() { o.flush(p[n:]) })
	}
	return nil
}

// end writes last after what was sent before, and takes nothing more. It
// reports whether it was the first to do so.
func (o *outbound) end(last []byte) bool {
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return false
	}
	err := o.put(last)
	o.noMore()
	o.mu.Unlock()
	if err != nil {
		o.owner.gone()
	}
	return true
}

// noMore has nothing more taken, with mu held.
func (o *outbound) noMore() {
	o.ended = true
	if o.backlog != nil {
		o.backlog.endBy = time.Now().Add(o.config.WriteTimeout)
	}
}

// cutOff ends the connection of a client that does not keep up. Whatever it
// has not begun to read is dropped, so that it soon reads why.
func (o *outbound) cutOff() {
	last := o.owner.farewell()
	o.mu.Lock()
	if o.ended {
		o.mu.Unlock()
		return
	}
	if b := o.backlog; b != nil {
		for _, p := range b.queue {
			b.size -= len(p)
		}
		b.queue = nil
	}
	err := o.put(last)
	o.noMore()
	o.mu.Unlock()
	if err != nil {
		o.owner.gone()
	}
	o.owner.slow()
}

// breakOff drops what waits, with mu held.
func (o *outbound) breakOff() {
	if o.backlog != nil {
		o.backlog.queue = nil
	}
	o.ended, o.broken = true, true
}

// flush is the flusher. It writes first, and then what is in the queue, until
// that is empty or the client takes nothing more.
func (o *outbound) flush(first []byte) {
	failed := true
	defer func() {
		if failed {
			o.mu.Lock()
			o.breakOff()
			o.finished()
			o.mu.Unlock()
			o.owner.gone()
		}
	}()
	chunk := net.Buffers{first}
	size := len(first)
	for size >= 0 {
		if err := o.push(chunk); err != nil {
			return
		}
		chunk, size = o.next(size)
	}
	failed = false
}

// next takes off the queue what is to be written in one go. It is told how many
// bytes were written before; the size it returns is -1 if there is no more.
func (o *outbound) next(written int) (chunk net.Buffers, size int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.backlog
	b.size -= written
	n := 0
	for n < min(len(b.queue), maxBufs) && (n == 0 || size+len(b.queue[n]) <= maxChunk) {
		size += len(b.queue[n])
		n++
	}
	if n == 0 {
		o.finished()
		return nil, -1
	}
	chunk = append(chunk, b.queue[:n]...)
	clear(b.queue[:n])
	b.queue = b.queue[n:]
	return chunk, size
}

// finished is the end of the flusher, with mu held.
func (o *outbound) finished() {
	if o.backlog.idle != nil {
		close(o.backlog.idle)
	}
	o.backlog = nil
}

// push writes chunk, and waits for as long as the client takes some of it now
// and then. A client that takes nothing is cut off, and given as much time
// again to read why.
func (o *outbound) push(chunk net.Buffers) error {
	for {
		n, err := o.lane.push(&chunk, o.deadline())
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case o.late():
			return err
		case n == 0:
			o.cutOff()
		}
	}
}

// deadline is until when the client must take something.
func (o *outbound) deadline() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended {
		return o.backlog.endBy
	}
	return time.Now().Add(o.config.WriteTimeout)
}

// late reports whether it is too late to write anything.
func (o *outbound) late() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended && !time.Now().Before(o.backlog.endBy)
}

// flushed waits until all is written, which an outbound that has ended does
// not do for long. It reports whether it was.
func (o *outbound) flushed() bool {
	o.mu.Lock()
	if o.backlog == nil {
		defer o.mu.Unlock()
		return !o.broken
	}
	if o.backlog.idle == nil {
		o.backlog.idle = make(chan struct{})
	}
	idle := o.backlog.idle
	o.mu.Unlock()
	<-idle
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.broken
}
