package websocket

import (
	"context"
	"time"

	"github.com/lxzan/gws"

	"github.com/revurb/revurb/core/frame"
	"github.com/revurb/revurb/core/protocol"
)

// read is the reader, from the first frame to the last breath.
//
// To do what a frame asks for takes more stack than to wait for the next one,
// and a stack that has grown hardly shrinks. Clients are silent for most of the
// time, so a reader waits where its stack is shallow, and when it has had
// something to do makes room for one that is fresh. Thousands of silent clients
// take a third less memory for it.
func (s *socket) read() {
	defer s.over()
	for {
		first, err := s.buffered.Peek(1)
		switch {
		case err == nil && first[0] == pong && s.control() != nil:
			continue
		case err == nil && first[0] == ping && s.answer():
		default: // of an error, too, the library learns by itself
			if !s.message() {
				return
			}
		}
		if s.quiet() {
			s.goesOn = true
			return
		}
	}
}

// maxFresh is how many fresh readers a client may have in a second. A fresh one
// costs some microseconds, which a client that talks all the time had better
// save.
const maxFresh = 32

// quiet reports whether the client has nothing more to say for now.
func (s *socket) quiet() bool {
	if s.buffered.Buffered() > 0 {
		return false
	}
	if now := uint32(s.h.Wheel.Now() / time.Second); now != s.second {
		s.second, s.fresh = now, 0
	}
	if s.fresh >= maxFresh {
		return false
	}
	s.fresh++
	return true
}

// over is deferred by each reader.
func (s *socket) over() {
	if reason := recover(); reason != nil {
		s.failed(reason)
	} else if s.goesOn {
		s.goesOn = false
		go s.read()
		return
	}
	if c := s.conn.Load(); c != nil {
		s.contain(func() { c.Closed(context.Background()) })
	}
	s.contain(s.finish)
	_ = s.link.Close() // there is nobody left to tell
	s.leave()
	s.h.open.leave()
}

// The first bytes of the frames that the library need not see.
const (
	ping = bitFIN | 0x9
	pong = bitFIN | 0xa

	maxControl = 125 // bytes (RFC 6455, section 5.5)
)

// control reads a control frame if it is one that the library would not
// refuse. It returns its payload, which is not nil then, for as long as nothing
// else is read.
func (s *socket) control() (payload []byte) {
	const header = 2 + maskSize
	head, err := s.buffered.Peek(2)
	if err != nil || head[1]&bitMask == 0 || head[1]&bitsLength > maxControl {
		return nil
	}
	wire, err := s.buffered.Peek(header + int(head[1]&bitsLength))
	if err != nil {
		return nil
	}
	mask, payload := wire[2:header], wire[header:]
	for i := range payload {
		payload[i] ^= mask[i%maskSize]
	}
	_, _ = s.buffered.Discard(len(wire)) // it is all there
	s.seen()
	return payload
}

// answer reads a ping as control does, and answers it.
func (s *socket) answer() bool {
	payload := s.control()
	if payload == nil {
		return false
	}
	s.out.send(frame.Pong(payload))
	return true
}

// message reads a message and does what it asks for. It reports whether there
// may be another.
func (s *socket) message() bool {
	m, err := s.ws.ReadMessage()
	if err != nil {
		return false
	}
	defer m.Close() //nolint:errcheck // gives the memory back
	s.seen()
	c := s.conn.Load()
	switch {
	case c == nil:
	case m.Opcode == gws.OpcodeText:
		c.Handle(context.Background(), m.Bytes())
	default:
		c.Session().End(protocol.Errorf("Binary messages are not supported"), closeUnsupported)
	}
	return true
}

// seen notes that the client lives.
func (s *socket) seen() {
	if c := s.conn.Load(); c != nil {
		c.Seen(s.h.Wheel.Now())
	}
}
