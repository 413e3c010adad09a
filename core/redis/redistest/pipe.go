package redistest

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// pipeLimit is how many bytes a pipe holds up before it reads no more, as the
// buffers of a network do.
const pipeLimit = 4 << 20

// A pipe is one direction of a link. One goroutine fills it and one drains it,
// so that delay costs no throughput.
type pipe struct {
	// sees is shown all bytes before they pass, or is nil.
	sees func([]byte)

	mu       sync.Mutex
	changed  sync.Cond // something below
	src, dst *net.TCPConn
	open     bool // whether bytes may leave
	delay    time.Duration
	rate     int       // bytes a second that leave; 0 is no limit
	rested   time.Time // when the next may leave, with a rate
	queue    []chunk
	size     int  // bytes in queue
	ended    bool // src has no more
	closed   bool
	writing  bool // to dst
}

type chunk struct {
	bytes []byte
	due   time.Time
}

func newPipe() *pipe {
	p := &pipe{}
	p.changed.L = &p.mu
	return p
}

// connect says what p connects, once; false if p is closed.
func (p *pipe) connect(src, dst *net.TCPConn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.src, p.dst = src, dst
	return !p.closed
}

// set opens or shuts p. When it returns, nothing leaves a shut pipe.
func (p *pipe) set(open bool, delay time.Duration, rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open, p.delay, p.rate = open, delay, rate
	p.changed.Broadcast()
	for !p.open && p.writing {
		_ = p.dst.SetWriteDeadline(time.Unix(1, 0)) // interrupts it
		p.changed.Wait()
	}
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.dst != nil {
		_ = p.src.Close()
		_ = p.dst.Close()
	}
	p.changed.Broadcast()
}

// wait waits until p is open; false if it is closed.
func (p *pipe) wait() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.open && !p.closed {
		p.changed.Wait()
	}
	return !p.closed
}

func (p *pipe) fill() {
	for buf := make([]byte, 32<<10); ; {
		n, err := p.src.Read(buf)
		if p.sees != nil {
			p.sees(buf[:n])
		}
		if !p.push(buf[:n], err != nil) {
			return
		}
	}
}

// push queues a copy of b, and reports whether there may be more.
func (p *pipe) push(b []byte, last bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.size > pipeLimit && !p.closed {
		p.changed.Wait()
	}
	if len(b) > 0 {
		p.queue = append(p.queue, chunk{append([]byte(nil), b...), time.Now().Add(p.delay)})
		p.size += len(b)
	}
	p.ended = last
	p.changed.Broadcast()
	return !last && !p.closed
}

// drain writes what is queued, when it is due and p is open, up to the end of
// src.
func (p *pipe) drain() {
	for {
		b := p.next()
		if b == nil {
			return
		}
		n, err := p.dst.Write(b)
		p.wrote(n)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
	}
}

// next waits for bytes that may leave, and marks p as writing them; nil at the
// end.
func (p *pipe) next() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		switch {
		case p.closed:
			return nil
		case !p.open:
			p.changed.Wait()
		case len(p.queue) > 0:
			early := time.Until(p.queue[0].due)
			if p.rate > 0 {
				early = max(early, time.Until(p.rested))
			}
			if early <= 0 {
				_ = p.dst.SetWriteDeadline(time.Time{})
				p.writing = true
				return p.portion(p.queue[0].bytes)
			}
			timer := time.AfterFunc(early, p.wake)
			p.changed.Wait()
			timer.Stop()
		case p.ended:
			return nil
		default:
			p.changed.Wait()
		}
	}
}

// portion returns what of b may leave at once, with a rate: 50 ms of it.
func (p *pipe) portion(b []byte) []byte {
	if p.rate == 0 {
		return b
	}
	return b[:min(len(b), max(1, p.rate/20))]
}

// wrote takes n bytes from the queue.
func (p *pipe) wrote(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate > 0 {
		p.rested = time.Now().Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	}
	p.writing = false
	p.size -= n
	p.queue[0].bytes = p.queue[0].bytes[n:]
	if len(p.queue[0].bytes) == 0 {
		p.queue = p.queue[1:]
	}
	p.changed.Broadcast()
}

func (p *pipe) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed.Broadcast()
}
