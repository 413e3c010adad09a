package frame_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/revurb/revurb/core/frame"
)

func TestCloseReasonIsCutOffBetweenCharacters(t *testing.T) {
	for pad := range 4 {
		wire := frame.Close(4000, strings.Repeat("x", pad)+strings.Repeat("€", 60))
		reason := wire[4:]
		if len(wire) > 2+125 || int(wire[1]) != len(wire)-2 {
			t.Errorf("pad %d: got %d bytes, header says %d", pad, len(wire)-2, wire[1])
		}
		if !utf8.Valid(reason) || len(reason) < 121 {
			t.Errorf("pad %d: got reason %q of %d bytes, want as many whole characters as fit", pad, reason, len(reason))
		}
	}
}
