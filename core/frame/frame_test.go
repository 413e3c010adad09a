package frame_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/frame"
)

func TestTextHeader(t *testing.T) {
	for _, tt := range []struct {
		size   int
		header string
	}{
		{0, "8100"}, {125, "817d"}, {126, "817e007e"}, {65535, "817effff"}, {65536, "817f0000000000010000"},
	} {
		payload := bytes.Repeat([]byte("x"), tt.size)
		f := frame.Text(payload)
		if want := len(tt.header)/2 + tt.size; len(f.Wire()) != want {
			t.Errorf("%d bytes: the frame has %d, want %d", tt.size, len(f.Wire()), want)
		}
		if got := fmt.Sprintf("%x", f.Wire()[:len(tt.header)/2]); got != tt.header {
			t.Errorf("%d bytes: header = %s, want %s", tt.size, got, tt.header)
		}
		if !bytes.Equal(f.Payload(), payload) {
			t.Errorf("%d bytes: the payload is not what was put in", tt.size)
		}
	}
}

func TestJoin(t *testing.T) {
	a, b := frame.Text([]byte("a")), frame.Text([]byte("bb"))
	if got := frame.Join([]*frame.Frame{a}); got != a {
		t.Error("one frame is not joined with anything")
	}
	j := frame.Join([]*frame.Frame{a, b})
	if j.Len() != 2 || string(j.Wire()) != "\x81\x01a\x81\x02bb" {
		t.Errorf("joined %d: %q", j.Len(), j.Wire())
	}
	if want := string(a.Deflated()) + string(b.Deflated()); string(j.Deflated()) != want {
		t.Errorf("deflated = %x, want %x", j.Deflated(), want)
	}
}

// A receiver puts back the bytes that were left out, and inflates.
func TestDeflated(t *testing.T) {
	for _, text := range []string{"", "x", strings.Repeat("hello ", 50), strings.Repeat("0123456789abcdef", 10_000)} {
		wire := frame.Text([]byte(text)).Deflated()
		if wire[0] != 0xc1 {
			t.Fatalf("first byte = %x, want FIN, RSV1 and text", wire[0])
		}
		body := wire[2:]
		switch wire[1] {
		case 126:
			body = wire[4:]
		case 127:
			body = wire[10:]
		}
		r := flate.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
		got, err := io.ReadAll(r)
		if err != nil || string(got) != text {
			t.Errorf("%d bytes: inflates to %d bytes, %v", len(text), len(got), err)
		}
	}
}

func TestControl(t *testing.T) {
	if got, want := string(frame.Close(4201, "late")), "\x88\x06\x10\x69late"; got != want {
		t.Errorf("Close = %q, want %q", got, want)
	}
	if got := frame.Close(4000, strings.Repeat("x", 200)); len(got) != 2+125 || got[1] != 125 {
		t.Errorf("a long reason makes a frame of %d bytes, length byte %d, want 127 and 125", len(got), got[1])
	}
	if got, want := string(frame.Pong([]byte("hi"))), "\x8a\x02hi"; got != want {
		t.Errorf("Pong = %q, want %q", got, want)
	}
}

func BenchmarkText(b *testing.B) {
	payload := bytes.Repeat([]byte("x"), 200)
	b.ReportAllocs()
	for b.Loop() {
		frame.Text(payload)
	}
}

// Of writes the same as Text, into memory that was made for it once.
func TestOf(t *testing.T) {
	for _, size := range []int{0, 125, 126, 65535, 65536} {
		payload := bytes.Repeat([]byte("x"), size)
		write := func(b []byte) []byte { return append(b, payload...) }
		for _, hint := range []int{0, size, 2 * size} {
			if got := frame.Of(hint, write); !bytes.Equal(got.Wire(), frame.Text(payload).Wire()) || got.Len() != 1 {
				t.Errorf("%d bytes, of about %d: the frame is not that of Text", size, hint)
			}
		}
		if n := testing.AllocsPerRun(100, func() { frame.Of(size, write) }); n > 2 {
			t.Errorf("%d bytes: %v allocations, want the frame and its bytes", size, n)
		}
	}
}
