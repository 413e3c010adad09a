package mutants

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

// pass is a frame that goes on.
func pass(f frame) []frame { return []frame{f} }

func (f frame) control() bool { return f.opcode >= opClose }

// inFragments reports whether f comes in the middle of a message, and keeps
// account of that.
func (l *link) inFragments(f frame) bool {
	open := l.note("fragments", "") == "open"
	next := open
	if !f.control() {
		next = !f.fin
	}
	if next {
		l.note("fragments", "open")
	}
	return open
}

// wireMutants break RFC 6455 and RFC 7692.
func wireMutants() []mutant {
	return append(handshakeMutants(), append(frameMutants(), deflateMutants()...)...)
}

var wellFormedKey = regexp.MustCompile(`(?i)Sec-WebSocket-Key: [\w+/]{22}==\r\n`)

// wholeFrames returns the length of the first frame in b, or 0 if it is not
// whole.
func wholeFrames(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	n, head := int(b[1]&0x7f), 6
	switch {
	case n == 126 && len(b) > 3:
		n, head = int(b[2])<<8|int(b[3]), 8
	case n > 125:
		return 0
	}
	if len(b) < head+n {
		return 0
	}
	return head + n
}

func frameMutants() []mutant {
	return append(controlMutants(), []mutant{
		{
			name: "rsv-ignored", bug: "reserved bits are not looked at",
			killedBy: []string{"rfc6455.rsv.*", "rfc6455.deflate.rsv*"},
			up: func(l *link, f frame) []frame {
				keep := byte(0)
				if l.deflate.Load() && (f.opcode == opText || f.opcode == opBinary) {
					keep = f.rsv & 4
				}
				if f.rsv != keep {
					f.rsv, f.raw = keep, nil
				}
				return pass(f)
			},
		},
		{
			name: "opcode-ignored", bug: "frames with an opcode that is reserved are passed over",
			killedBy: []string{"rfc6455.opcode.*", "rfc6455.close.tells-why"},
			up: func(_ *link, f frame) []frame {
				if f.opcode > opBinary && f.opcode < opClose || f.opcode > opPong {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "mask-optional", bug: "frames of clients need no mask",
			killedBy: []string{"rfc6455.mask.none-*"},
			up: func(_ *link, f frame) []frame {
				if !f.masked {
					f.masked, f.raw = true, nil
				}
				return pass(f)
			},
		},
		{
			name: "mask-zero", bug: "a frame with a mask of zeros is taken for one without a mask",
			killedBy: []string{"rfc6455.mask.zero"},
			up: func(_ *link, f frame) []frame {
				if f.masked && bytes.HasSuffix(f.raw, f.payload) && len(f.payload) > 0 {
					f.masked, f.raw = false, nil
				}
				return pass(f)
			},
		},
		{
			name: "mask-server", bug: "the server masks its frames",
			killedBy: []string{"rfc6455.mask.server"}, total: true,
			down: func(_ *link, f frame) []frame {
				f.masked, f.raw = true, nil
				return pass(f)
			},
		},
		{
			name: "length-125", bug: "messages of 125 bytes and more get lost",
			killedBy: []string{
				"rfc6455.length.125", "rfc6455.length.126", "rfc6455.length.127", "rfc6455.length.128", "rfc6455.length.4096",
				"rfc6455.length.9999", "rfc6455.length.65535", "rfc6455.length.65536", "rfc6455.chop.997",
			},
			also: []string{"rfc6455.chop.header"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opText && len(f.payload) >= 125 {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "length-empty", bug: "an empty message is a protocol error",
			killedBy: []string{"rfc6455.length.empty"},
			up: func(_ *link, f frame) []frame {
				if f.isText() && len(f.payload) == 0 {
					f.opcode, f.raw = 3, nil
				}
				return pass(f)
			},
		},
		{
			name: "length-believed", bug: "the server waits for as many bytes as a header announces, and be it for ever",
			killedBy: []string{"rfc6455.length.top-bit", "rfc6455.length.all-bits", "rfc6455.length.max", "security.frame.announced"},
			up: func(_ *link, f frame) []frame {
				if len(f.raw) == 10 { // the header of a frame that is too big to collect
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "binary-is-text", bug: "binary messages are taken for text",
			killedBy: []string{"rfc6455.length.binary-text"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opBinary {
					f.opcode, f.raw = opText, nil
				}
				return pass(f)
			},
		},
		{
			name: "fragment-is-message", bug: "each fragment is taken for a message",
			killedBy: []string{
				"rfc6455.fragment.two", "rfc6455.fragment.every-place", "rfc6455.fragment.single-bytes", "rfc6455.fragment.empty-parts",
				"rfc6455.fragment.octets", "rfc6455.fragment.pong-between", "rfc6455.utf8.split", "rfc6455.utf8.split-single-bytes",
			},
			also: []string{"rfc6455.fragment.no-start", "rfc6455.fragment.ping-between", "rfc6455.fragment.pings-between"},
			up: func(_ *link, f frame) []frame {
				if !f.control() && (!f.fin || f.opcode == opContinuation) {
					f.opcode, f.fin, f.raw = opText, true, nil
				}
				return pass(f)
			},
		},
		{
			name: "fragment-no-start", bug: "a continuation without a start begins a message",
			killedBy: []string{"rfc6455.fragment.no-start", "rfc6455.fragment.no-start-open", "rfc6455.fragment.after-end"},
			up: func(l *link, f frame) []frame {
				if !l.inFragments(f) && f.opcode == opContinuation {
					f.opcode, f.raw = opText, nil
				}
				return pass(f)
			},
		},
		{
			name: "fragment-nested", bug: "a message inside another is passed over",
			killedBy: []string{"rfc6455.fragment.text-inside", "rfc6455.fragment.start-inside", "rfc6455.fragment.binary-inside"},
			up: func(l *link, f frame) []frame {
				inside := l.note("fragments", "")
				if inside == "open" && (f.opcode == opText || f.opcode == opBinary) {
					l.note("fragments", inside)
					return nil
				}
				l.note("fragments", inside)
				l.inFragments(f)
				return pass(f)
			},
		},
		{
			name: "utf8-unchecked", bug: "text need not be UTF-8",
			killedBy: []string{
				"rfc6455.utf8.lone-*", "rfc6455.utf8.cut-off-*", "rfc6455.utf8.surrogate-*", "rfc6455.utf8.overlong-*",
				"rfc6455.utf8.beyond-10ffff", "rfc6455.utf8.five-bytes", "rfc6455.utf8.six-bytes", "rfc6455.utf8.fe-ff", "rfc6455.utf8.latin-1",
				"rfc6455.utf8.split-invalid", "rfc6455.utf8.after-message", "rfc6455.utf8.ends-within-character", "rfc6455.close.bad-reason",
				"rfc6455.close.tells-why-text", "rfc6455.deflate.invalid-utf8",
			},
			up: tolerateUTF8,
		},
		{
			name: "utf8-ascii", bug: "text must be ASCII",
			killedBy: []string{
				"rfc6455.utf8.two-bytes", "rfc6455.utf8.three-bytes", "rfc6455.utf8.four-bytes", "rfc6455.utf8.bounds-*",
				"rfc6455.utf8.around-surrogates", "rfc6455.utf8.noncharacters", "rfc6455.utf8.bom",
			},
			also: []string{"rfc6455.utf8.split"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opText && bytes.ContainsFunc(f.payload, func(r rune) bool { return r > 127 }) {
					f = f.with("\xff")
				}
				return pass(f)
			},
		},
		{
			name: "message-unlimited", bug: "a message may be of any size",
			killedBy: []string{"rfc6455.oversize.single", "rfc6455.oversize.fragments", "rfc6455.oversize.endless", "rfc6455.deflate.bomb"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxMessageSize = 64 << 20
				}
			},
		},
		{
			name: "message-too-big-code", bug: "a message that is too big is refused with a code for something else",
			killedBy: []string{"rfc6455.length.65535", "rfc6455.length.65536", "rfc6455.oversize.single"},
			down:     recode(1009, 1000),
		},
	}...)
}

func tolerateUTF8(l *link, f frame) []frame {
	switch {
	case f.rsv == 4 && l.deflate.Load() && f.fin:
		text, err := new(client.Inflater).Inflate(f.payload)
		if err == nil && !utf8.Valid(text) {
			f.rsv = 0
			f = f.with(strings.ToValidUTF8(string(text), "?"))
		}
	case f.opcode <= opText && f.rsv == 0 && !utf8.Valid(f.payload):
		f = f.with(strings.ToValidUTF8(string(f.payload), "?"))
	case f.opcode == opClose && len(f.payload) > 2 && !utf8.Valid(f.payload[2:]):
		f = f.with(string(f.payload[:2]) + "?")
	}
	return pass(f)
}
