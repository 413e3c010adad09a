package abi_test

import (
	"errors"
	"testing"

	"github.com/revurb/revurb/hooks/abi"
)

func TestFrame(t *testing.T) {
	b := abi.Append([]byte("before"), []byte("a"), nil, []byte{}, abi.Int(7))
	f, err := abi.Parse(b[len("before"):])
	if err != nil {
		t.Fatal(err)
	}
	if n := f.Fields(); n != 4 {
		t.Errorf("got %d fields, want 4", n)
	}
	if got := string(f.Field(0)); got != "a" {
		t.Errorf("field 0 is %q, want a", got)
	}
	for _, i := range []int{1, 4, 100} {
		if got := f.Field(i); got != nil {
			t.Errorf("field %d is %q, want it absent", i, got)
		}
	}
	if got := f.Field(2); got == nil || len(got) != 0 {
		t.Errorf("field 2 is %v, want it empty, not absent", got)
	}
	if n, ok := f.Int(3); n != 7 || !ok {
		t.Errorf("field 3 is %d, %v, want 7", n, ok)
	}
	if n, ok := f.Int(1); n != 0 || !ok {
		t.Errorf("an absent integer is %d, %v, want 0", n, ok)
	}
	if _, ok := f.Int(0); ok {
		t.Error("a field of one byte is taken for an integer")
	}
}

func TestParseRefuses(t *testing.T) {
	good := abi.Append(nil, []byte("abc"), []byte("de"))
	change := func(at int, to byte) []byte {
		b := append([]byte(nil), good...)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"nothing":                            nil,
		"less than a header":                 good[:7],
		"another version":                    change(0, 2),
		"more fields than fit":               change(3, 1),
		"a length that is not its own":       change(4, good[4]+1),
		"a part of a frame":                  good[:len(good)-1],
		"a field that begins in the header":  change(8, 4),
		"a field that ends outside":          change(12, 6),
		"a field that begins far outside":    change(11, 0x80),
		"a length without an offset":         change(8, 0),
		"a length that wraps around 32 bits": change(15, 0xff),
	} {
		if f, err := abi.Parse(b); !errors.Is(err, abi.ErrFrame) {
			t.Errorf("%s: got %x, %v, want an error", name, f, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(abi.Append(nil, []byte("a"), nil, []byte{}, abi.Int(7)))
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := abi.Parse(b)
		if err != nil {
			return
		}
		for i := range frame.Fields() + 1 {
			_ = frame.Field(i)
			frame.Int(i)
		}
	})
}

func TestHookNames(t *testing.T) {
	for _, name := range abi.Names() {
		h, ok := abi.ParseHook(name)
		if !ok || h.String() != name || h.Export() != "revurb_"+name {
			t.Errorf("%s is hook %v, %v", name, h, ok)
		}
	}
	if h, ok := abi.ParseHook("on_publish"); ok {
		t.Errorf("on_publish is hook %v, want none", h)
	}
	if abi.OnSubscribed.Decides() || !abi.OnMessage.Decides() {
		t.Error("on_message decides, and on_subscribed does not")
	}
}
