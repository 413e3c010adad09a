package websocket_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/protocol"
)

// transports are the ways in which a connection can come.
var transports = []struct {
	name string
	setup
}{
	{"TCP", setup{}},
	{"Unix socket", setup{listen: listenUnix}},
	{"TLS", setup{secure: true}},
	{"TCP from another listener", setup{bare: true}},
	{"TLS from another listener", setup{bare: true, secure: true}},
}

func TestMessagesAndControlFramesOverEveryTransport(t *testing.T) {
	for _, with := range transports {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, with.setup)
			c, _ := s.connect(t)
			c.subscribe("news")
			for _, size := range []int{0, 1, 125, 126, 127, 8000} {
				data := strings.Repeat("x", size)
				s.publish(t, "news", data)
				if got := c.event("news"); got != data {
					t.Errorf("got %d bytes, want %d", len(got), size)
				}
			}
			for _, payload := range []string{"", "p", strings.Repeat("p", 125)} {
				c.frame(finPing, payload)
				if got := c.next(finPong); got != payload {
					t.Errorf("got pong %q, want %q", got, payload)
				}
			}
			c.frame(finPong, "nobody asked")
			c.pings()
			c.frame(finClose, closing(1000, "bye"))
			c.closed(1000)
			s.empty(t)
		})
	}
}

// ping7 is a message of n bytes that is answered with pusher:pong.
func ping7(n int) string {
	const m = `{"event":"pusher:ping"}`
	return m + strings.Repeat(" ", max(n-len(m), 0))
}

func TestMessagesOfAllShapesAreUnderstood(t *testing.T) {
	long := ping7(10_000)
	var bytewise []byte
	for i := range 100 {
		first := byte(more)
		switch i {
		case 0:
			first = text
		case 99:
			first = fin
		}
		bytewise = append(bytewise, masked(first, ping7(100)[i:i+1])...)
	}
	tests := []struct {
		name string
		wire []byte
	}{
		{"125 bytes", masked(finText, ping7(125))},
		{"126 bytes", masked(finText, ping7(126))},
		{"exactly the limit", masked(finText, long)},
		{"a length written in eight bytes", eightByteLength(ping7(100))},
		{"two fragments", frames(masked(text, ping7(0)[:5]), masked(fin, ping7(0)[5:]))},
		{"a fragment for each byte", bytewise},
		{"fragments up to the limit", frames(masked(text, long[:6000]), masked(fin, long[6000:]))},
		{"empty fragments", frames(masked(text, ""), masked(more, ping7(0)), masked(fin, ""))},
	}
	s := start(t, setup{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := s.connect(t)
			c.raw(tt.wire)
			c.event(protocol.EventPong)
			for i := range tt.wire[:min(len(tt.wire), 300)] { // in pieces
				c.raw(tt.wire[i : i+1])
			}
			c.raw(tt.wire[min(len(tt.wire), 300):])
			c.event(protocol.EventPong)
		})
	}
}

func eightByteLength(payload string) []byte {
	short := masked(finText, payload)
	b := binary.BigEndian.AppendUint64([]byte{finText, 0x80 | 127}, uint64(len(payload)))
	return append(b, short[2:]...)
}

func TestPingInTheMiddleOfAMessageIsAnsweredAtOnce(t *testing.T) {
	s := start(t, setup{})
	c, _ := s.connect(t)
	c.frame(text, ping7(0)[:5])
	c.frame(finPing, "now")
	if got := c.next(finPong); got != "now" {
		t.Errorf("got pong %q, want now", got)
	}
	c.frame(finPong, "")
	c.frame(fin, ping7(0)[5:])
	c.event(protocol.EventPong)
}

func TestPingsAreAnsweredInOrder(t *testing.T) {
	s := start(t, setup{})
	c, _ := s.connect(t)
	var all []byte
	for i := range 1000 {
		all = append(all, masked(finPing, fmt.Sprint(i))...)
	}
	c.raw(all)
	for i := range 1000 {
		if got := c.next(finPong); got != fmt.Sprint(i) {
			t.Fatalf("got pong %q, want %d", got, i)
		}
	}
}

// unmasked takes the mask off a frame of fewer than 126 bytes.
func unmasked(first byte, payload string) []byte {
	return append([]byte{first, byte(len(payload))}, payload...)
}

func TestFramesThatBreakTheRulesEndThatConnectionAlone(t *testing.T) {
	long := strings.Repeat("x", 10_001)
	tests := []struct {
		name string
		wire []byte
		code int
	}{
		{"no mask", unmasked(finText, ping7(0)), 1002},
		{"RSV1 without compression", masked(finText|0x40, ping7(0)), 1002},
		{"RSV2", masked(finText|0x20, ping7(0)), 1002},
		{"RSV3", masked(finText|0x10, ping7(0)), 1002},
		{"RSV1 on a ping", masked(finPing|0x40, ""), 1002},
		{"reserved data opcode", masked(fin|0x3, "x"), 1002},
		{"reserved control opcode", masked(fin|0xb, "x"), 1002},
		{"ping in fragments", masked(0x9, "x"), 1002},
		{"pong in fragments", masked(0xa, "x"), 1002},
		{"ping of 126 bytes", masked(finPing, strings.Repeat("x", 126)), 1002},
		{"ping without a mask", unmasked(finPing, "x"), 1002},
		{"pong without a mask", unmasked(finPong, "x"), 1002},
		{"continuation of nothing", masked(fin, "x"), 1002},
		{"message within a message", frames(masked(text, "x"), masked(finText, ping7(0))), 1002},
		{"binary within a message", frames(masked(text, "x"), masked(finBinary, "x")), 1002},
		{"length with the top bit set", append([]byte{finBinary, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, 2, 3, 4), 1002},
		{"only the top bit of the length set", append([]byte{finText, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0}, 1, 2, 3, 4), 1002},
		{"greatest length, and nothing of it", append([]byte{finText, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, 2, 3, 4), 1009},
		{"one byte too many", masked(finText, long), 1009},
		{"one byte too many, in fragments", frames(masked(text, long[:6000]), masked(fin, long[6000:])), 1009},
		{"invalid UTF-8", masked(finText, "\xff"), 1007},
		{"overlong UTF-8", masked(finText, "\xc0\xaf"), 1007},
		{"surrogate in UTF-8", masked(finText, "\xed\xa0\x80"), 1007},
		{"UTF-8 cut off", masked(finText, `{"event":"pusher:ping"}`+"\xe2\x82"), 1007},
		{"invalid UTF-8 in fragments", frames(masked(text, "\xe2"), masked(fin, "\x28")), 1007},
		{"close with one byte", masked(finClose, "x"), 1002},
		{"close with a code that may not be sent", masked(finClose, closing(1005, "")), 1002},
		{"close with a code of nobody", masked(finClose, closing(2999, "")), 1002},
		{"close with code 0", masked(finClose, closing(0, "")), 1002},
		{"close with a reason that is not UTF-8", masked(finClose, closing(1000, "\xff")), 1007},
	}
	s := start(t, setup{})
	bystander, _ := s.connect(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, id := s.connect(t)
			c.join(id, "presence-room", "ann")
			c.raw(tt.wire)
			if tt.code == 1009 {
				c.told(0)
			}
			c.closed(tt.code)
			bystander.pings()
			eventually(t, "the member is gone", func() bool {
				users, _ := s.hub.Users(t.Context(), s.app, "presence-room")
				return len(users) == 0 && s.connections(t) == 1
			})
			if got := s.metric(t, "revurb_panics_total"); got != 0 {
				t.Errorf("got %v panics, want 0", got)
			}
			if log := s.logged.String(); log != "" {
				t.Errorf("got logged %q, want nothing: clients are not our business", log)
			}
		})
	}
}

func TestFragmentsWithoutEndAreCutOff(t *testing.T) {
	tests := []struct {
		name string
		next []byte
	}{
		{"full ones", masked(more, strings.Repeat("x", 1000))},
		{"empty ones", masked(more, "")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, setup{})
			c, _ := s.connect(t)
			c.frame(text, "")
			go func() {
				for flood := bytes.Repeat(tt.next, 1000); ; {
					if _, err := c.Write(flood); err != nil {
						return
					}
				}
			}()
			c.told(0)
			if first, payload, err := c.read(); err != nil || first != finClose || payload[:2] != closing(1009, "") {
				t.Errorf("got %#x %q, %v; want a close frame with 1009", first, payload, err)
			}
			s.empty(t)
			c.Close()
		})
	}
}

func TestAnnouncedLengthIsNotAllocated(t *testing.T) {
	s := start(t, setup{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 20 {
		c, _ := s.connect(t)
		c.raw([]byte{finText, 0xff, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4}) // a gigabyte
		c.told(0)
		c.closed(1009)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 20<<20 {
		t.Errorf("got %d bytes allocated, want next to nothing", got)
	}
}

func TestBinaryMessageIsRefusedInWords(t *testing.T) {
	s := start(t, setup{})
	c, _ := s.connect(t)
	c.frame(finBinary, "\x00\x01")
	c.told(0)
	c.closed(1003)
	if got := s.metric(t, `revurb_closes_total{app="app-id",code="1003"}`); got != 1 {
		t.Errorf("got %v closes counted, want 1", got)
	}
}

func TestCloseIsAnsweredInKind(t *testing.T) {
	tests := []struct {
		name, payload string
		want          int
	}{
		{"no code", "", 0},
		{"normal", closing(1000, "bye"), 1000},
		{"going away", closing(1001, ""), 1000},
		{"a code of the application", closing(4321, "mine"), 4321},
		{"the longest reason", closing(1000, strings.Repeat("x", 123)), 1000},
	}
	s := start(t, setup{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := s.connect(t)
			c.raw(frames(masked(finClose, tt.payload), masked(finText, ping7(0)), masked(finPing, "late")))
			c.closed(tt.want)
		})
	}
	s.empty(t)
	if got := s.metric(t, `revurb_closes_total{app="app-id",code="1000"}`); got != 0 {
		t.Errorf("got %v closes counted, want 0: they are not the server's", got)
	}
}

func TestMessagesBeforeABadFrameAreStillHandled(t *testing.T) {
	s := start(t, setup{})
	c, _ := s.connect(t)
	c.raw(frames(masked(finText, ping7(0)), masked(finPing, "p"), masked(finText|0x20, "x"), masked(finText, ping7(0))))
	c.event(protocol.EventPong)
	c.next(finPong)
	c.closed(1002)
}

func TestCloseFrameIsSeenByAClientThatIsStillSending(t *testing.T) {
	for _, with := range transports {
		t.Run(with.name, func(t *testing.T) {
			s := start(t, with.setup)
			c, _ := s.connect(t)
			c.raw(frames(masked(finText|0x20, "x"), bytes.Repeat(masked(finText, ping7(5000)), 100)))
			c.closed(1002)
		})
	}
}
