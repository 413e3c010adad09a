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

// header is a hook for a head in which lines are exchanged: those that match
// go, and line comes at the end, unless it is "".
func header(matching, line string) func(string) string {
	re := regexp.MustCompile(`(?im)^(` + matching + `).*\r\n`)
	return func(head string) string {
		head = strings.TrimSuffix(re.ReplaceAllString(head, ""), "\r\n")
		if line != "" {
			head += line + "\r\n"
		}
		return head + "\r\n"
	}
}

// wireMutants break RFC 6455 and RFC 7692.
func wireMutants() []mutant {
	return append(handshakeMutants(), append(frameMutants(), deflateMutants()...)...)
}

var wellFormedKey = regexp.MustCompile(`(?i)Sec-WebSocket-Key: [\w+/]{22}==\r\n`)

func handshakeMutants() []mutant {
	return []mutant{
		{
			name: "handshake-any-version", bug: "every version of the WebSocket protocol is taken for 13",
			killedBy: []string{"rfc6455.handshake.version-*"},
			head:     header("Sec-WebSocket-Version:", "Sec-WebSocket-Version: 13"),
		},
		{
			name: "handshake-any-key", bug: "a handshake is accepted whatever its key is",
			killedBy: []string{"rfc6455.handshake.key-*"},
			head: func(head string) string {
				if wellFormedKey.MatchString(head) {
					return head
				}
				return header("Sec-WebSocket-Key:", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")(head)
			},
		},
		{
			name: "handshake-any-upgrade", bug: "a request without Connection: Upgrade or Upgrade: websocket is upgraded",
			killedBy: []string{"rfc6455.handshake.connection-absent", "rfc6455.handshake.connection-other", "rfc6455.handshake.upgrade-*"},
			head:     header("Connection:|Upgrade:", "Connection: Upgrade\r\nUpgrade: websocket"),
		},
		{
			name: "handshake-any-request-line", bug: "a handshake may be a POST, or of HTTP/1.0",
			killedBy: []string{"rfc6455.handshake.post", "rfc6455.handshake.http-1.0"},
			head: func(head string) string {
				line, rest, _ := strings.Cut(head, "\r\n")
				return strings.NewReplacer("POST ", "GET ", "HTTP/1.0", "HTTP/1.1").Replace(line) + "\r\n" + rest
			},
		},
		{
			name: "handshake-exact-tokens", bug: "Connection and Upgrade are compared as a whole, and with case",
			killedBy: []string{"rfc6455.handshake.connection-list", "rfc6455.handshake.lower-case"},
			head: func(head string) string {
				return strings.NewReplacer("keep-alive, Upgrade", "keep-alive", "WebSocket\r\n", "x\r\n", "uPGRADE", "x").Replace(head)
			},
		},
		{
			name: "handshake-picky", bug: "a handshake with a null Origin, or with headers that are unknown, is refused",
			killedBy: []string{"rfc6455.handshake.origin-null", "rfc6455.handshake.unknown-header"},
			head: func(head string) string {
				if strings.Contains(head, "Origin: null") || strings.Contains(head, "X-Unknown") {
					return header("Sec-WebSocket-Version:", "")(head)
				}
				return head
			},
		},
		{
			name: "handshake-wrong-accept", bug: "Sec-WebSocket-Accept is a constant",
			killedBy: []string{"rfc6455.handshake.accept"}, total: true,
			answer: header("Sec-WebSocket-Accept:", "Sec-WebSocket-Accept: c29tZXRoaW5nIGVsc2Ugb2YgMjA="),
		},
		{
			name: "handshake-subprotocol", bug: "a subprotocol is agreed to that nobody asked for",
			killedBy: []string{"rfc6455.handshake.subprotocol", "rfc6455.handshake.no-subprotocol"},
			answer:   header("Sec-WebSocket-Protocol:", "Sec-WebSocket-Protocol: pusher"),
		},
		{
			name: "segment-is-frame", bug: "a handshake or frame that does not come in one segment is dropped",
			killedBy: []string{"rfc6455.handshake.octets", "rfc6455.chop.octets", "rfc6455.chop.header", "rfc6455.ping.125-octets", "rfc6455.ping.burst-octets", "rfc6455.fragment.octets"},
			also:     []string{"rfc6455.chop.997"},
			reads: func(l *link, b []byte) []byte {
				if bytes.HasPrefix(b, []byte("GET ")) && l.segment >= len(b) || wholeFrames(b) > 0 {
					return b
				}
				return nil
			},
		},
		{
			name: "segment-has-one-frame", bug: "of the frames in one segment only the first is read",
			killedBy: []string{"rfc6455.chop.two-messages", "rfc6455.chop.hundred-messages", "rfc6455.close.after-message", "rfc6455.pong.then-ping", "rfc6455.fragment.two"},
			also:     []string{"rfc6455.chop.octets", "rfc6455.fragment.every-place", "rfc6455.pong.unsolicited"},
			reads: func(_ *link, b []byte) []byte {
				if n := wholeFrames(b); n > 0 && !bytes.HasPrefix(b, []byte("GET ")) {
					return b[:n]
				}
				return b
			},
		},
	}
}

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

// recode has close frames of the server come with another code.
func recode(from, to int) hook {
	return func(_ *link, f frame) []frame {
		if f.closeCode() == from {
			f = f.withCode(to)
		}
		return pass(f)
	}
}

func controlMutants() []mutant {
	return []mutant{
		{
			name: "control-fragmented", bug: "control frames may be fragmented",
			killedBy: []string{"rfc6455.fragment.ping", "rfc6455.fragment.pong", "rfc6455.fragment.close"},
			up: func(l *link, f frame) []frame {
				if f.control() && !f.fin {
					l.note("rest", "drop")
					f.fin, f.raw = true, nil
					return pass(f)
				}
				if f.opcode == opContinuation && l.note("rest", "") == "drop" {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "control-long", bug: "control frames may be longer than 125 bytes",
			killedBy: []string{"rfc6455.ping.126", "rfc6455.pong.126", "rfc6455.close.126"},
			up: func(_ *link, f frame) []frame {
				if f.control() && len(f.payload) > 125 {
					f = f.with(string(f.payload[:125]))
				}
				return pass(f)
			},
		},
		{
			name: "ping-unanswered", bug: "pings are not answered",
			killedBy: []string{"rfc6455.ping.empty", "rfc6455.ping.text", "rfc6455.ping.burst", "rfc6455.pong.then-ping", "HB-03"},
			also:     []string{"rfc6455.ping.binary", "rfc6455.ping.burst-octets"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opPing && f.fin && len(f.payload) < 126 {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "ping-payload", bug: "the answer to a ping is always empty",
			killedBy: []string{"rfc6455.ping.text", "rfc6455.ping.binary", "rfc6455.ping.125", "rfc6455.ping.125-octets", "rfc6455.ping.burst*", "HB-03"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opPong {
					f = f.with("")
				}
				return pass(f)
			},
		},
		{
			name: "pong-answered", bug: "a pong is answered with a pong",
			killedBy: []string{"rfc6455.pong.unsolicited", "rfc6455.pong.unsolicited-empty", "rfc6455.pong.then-ping"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opPong {
					f.opcode, f.raw = opPing, nil
				}
				return pass(f)
			},
		},
		{
			name: "ping-waits", bug: "a ping between fragments is answered only after the message",
			killedBy: []string{"rfc6455.fragment.ping-between", "rfc6455.fragment.pings-between"},
			up: func(l *link, f frame) []frame {
				inside := l.inFragments(f)
				if inside && f.opcode == opPing {
					l.note("held", string(f.payload))
					return nil
				}
				out := pass(f)
				if held := l.note("held", ""); f.fin && !f.control() && held != "" {
					out = append(out, frame{fin: true, opcode: opPing, masked: true, payload: []byte(held)})
				}
				return out
			},
		},
		{
			name: "ping-breaks-fragments", bug: "a control frame ends the message that it comes in the middle of",
			killedBy: []string{"rfc6455.fragment.pong-between", "rfc6455.deflate.ping-between"},
			also:     []string{"rfc6455.fragment.pings-between"},
			up: func(l *link, f frame) []frame {
				if l.inFragments(f) && f.control() && f.opcode != opClose {
					return []frame{{fin: true, opcode: opContinuation, masked: true}, f}
				}
				return pass(f)
			},
		},
		{
			name: "close-wrong-code", bug: "protocol errors are reported as a normal closure",
			killedBy: []string{"rfc6455.rsv.*", "rfc6455.opcode.*", "rfc6455.mask.none-*", "rfc6455.close.tells-why"},
			also:     []string{"rfc6455.close.invalid-65535", "rfc6455.fragment.ping"},
			down:     recode(1002, 1000),
		},
		{
			name: "close-wrong-code-text", bug: "bad text is reported as a normal closure",
			killedBy: []string{"rfc6455.utf8.overlong-*", "rfc6455.close.tells-why-text", "rfc6455.deflate.garbage"},
			also:     []string{"rfc6455.deflate.invalid-utf8", "rfc6455.utf8.beyond-10ffff", "rfc6455.utf8.surrogate-pair"},
			down:     recode(1007, 1000),
		},
		{
			name: "close-unanswered", bug: "a close frame is answered with the end of the connection",
			killedBy: []string{
				"rfc6455.close.empty", "rfc6455.close.code", "rfc6455.close.reason", "rfc6455.close.125", "rfc6455.close.after-message",
				"rfc6455.close.valid-*", "rfc6455.close.echo", "rfc6455.close.ends-tcp", "rfc6455.close.twice", "rfc6455.fragment.close-between",
			},
			also: []string{"rfc6455.close.nothing-after", "rfc6455.close.tells-why-text"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "close-no-echo", bug: "the answer to a close frame is always 1000",
			killedBy: []string{"rfc6455.close.echo"},
			down:     recode(4123, 1000),
		},
		{
			name: "close-any-code", bug: "any code in a close frame will do, and half of one",
			killedBy: []string{"rfc6455.close.invalid-*", "rfc6455.close.1-byte"},
			up: func(_ *link, f frame) []frame {
				if c := f.closeCode(); f.opcode == opClose && len(f.payload) > 0 && (c < 1000 || c > 1003 && c < 1007 || c > 1011 && c < 3000 || c > 4999) {
					f = f.with("\x03\xe8")
				}
				return pass(f)
			},
		},
		{
			name: "close-few-codes", bug: "only 1000 is known as a code",
			killedBy: []string{"rfc6455.close.valid-1001", "rfc6455.close.valid-1011", "rfc6455.close.valid-3000", "rfc6455.close.valid-3999", "rfc6455.close.valid-4000", "rfc6455.close.valid-4999"},
			also:     []string{"rfc6455.close.valid-1010"},
			up: func(_ *link, f frame) []frame {
				if c := f.closeCode(); c > 1000 {
					f = f.withCode(1006)
				}
				return pass(f)
			},
		},
		{
			name: "close-goes-on", bug: "what comes after a close frame is still answered",
			killedBy: []string{"rfc6455.close.nothing-after", "rfc6455.close.ends-tcp", "rfc6455.close.twice"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return []frame{f, {fin: true, opcode: opText, payload: []byte(`{"event":"pusher:pong","data":"{}"}`)}}
				}
				return pass(f)
			},
		},
		{
			name: "close-twice", bug: "two close frames are sent",
			killedBy: []string{"rfc6455.close.twice", "rfc6455.close.ends-tcp", "rfc6455.close.nothing-after"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return []frame{f, f}
				}
				return pass(f)
			},
		},
		{
			name: "close-leaves-tcp", bug: "after the close frames it is the client that must end the TCP connection",
			killedBy: []string{"rfc6455.close.ends-tcp", "rfc6455.close.nothing-after", "rfc6455.close.twice"},
			down: func(l *link, f frame) []frame {
				if f.opcode != opClose {
					return pass(f)
				}
				_ = l.send(l.client, 0, f.bytes())
				<-l.gone
				return nil
			},
		},
		{
			name: "gone-unnoticed", bug: "that a client has gone without a close frame is not noticed",
			killedBy: []string{"rfc6455.close.without", "rfc6455.length.cut-off"},
			keep:     true,
		},
	}
}

func deflateMutants() []mutant {
	const extensions = "Sec-WebSocket-Extensions:"
	return []mutant{
		{
			name: "deflate-any-offer", bug: "every offer of an extension is taken for one of permessage-deflate without parameters",
			killedBy: []string{
				"rfc6455.deflate.offer-unknown", "rfc6455.deflate.offer-unknown-param", "rfc6455.deflate.offer-duplicate-param",
				"rfc6455.deflate.offer-window-*", "rfc6455.deflate.offer-client-window-too-large", "rfc6455.deflate.offer-takeover-value",
				"rfc6455.deflate.offer-webkit", "rfc6455.deflate.offer-server-window",
			},
			head: func(head string) string {
				if strings.Contains(head, "Extensions:") {
					return header(extensions, extensions+" permessage-deflate")(head)
				}
				return head
			},
		},
		{
			name: "deflate-unasked", bug: "compression is agreed to that was not offered",
			killedBy: []string{"rfc6455.deflate.offer-none"},
			also:     []string{"rfc6455.deflate.offer-unknown"},
			answer:   header(extensions, extensions+" permessage-deflate"),
		},
		{
			name: "deflate-param-lost", bug: "a promise that an offer asks for is not made",
			killedBy: []string{"rfc6455.deflate.offer-server-takeover"},
			answer: func(head string) string {
				if strings.Contains(head, "permessage-deflate") {
					return header(extensions, extensions+" permessage-deflate")(head)
				}
				return head
			},
		},
		{
			name: "deflate-param-twice", bug: "the agreement has a parameter twice",
			killedBy: []string{
				"rfc6455.deflate.offer-plain", "rfc6455.deflate.offer-browser", "rfc6455.deflate.offer-fallback",
				"rfc6455.deflate.offer-two-headers", "rfc6455.deflate.offer-quoted", "rfc6455.deflate.offer-server-takeover",
			},
			answer: func(head string) string {
				if strings.Contains(head, "permessage-deflate") {
					return header(extensions, extensions+" permessage-deflate; server_no_context_takeover; server_no_context_takeover")(head)
				}
				return head
			},
		},
		{
			name: "deflate-off", bug: "compression is claimed, and is not there",
			killedBy: []string{"rfc6455.deflate.offer-plain", "rfc6455.deflate.message", "rfc6455.deflate.plain-message", "rfc6455.deflate.mixed"},
			also:     []string{"rfc6455.deflate.fragments", "rfc6455.deflate.offer-browser"},
			config:   func(c *config.Config) { c.WebSocket.Compression = false },
		},
		{
			name: "deflate-plain-only", bug: "compressed messages get lost",
			killedBy: []string{
				"rfc6455.deflate.message", "rfc6455.deflate.mixed", "rfc6455.deflate.stored", "rfc6455.deflate.final-block",
				"rfc6455.deflate.several-blocks", "rfc6455.deflate.repeated",
			},
			also: []string{"rfc6455.deflate.rsv1-continuation"},
			up: func(l *link, f frame) []frame {
				if l.deflate.Load() && f.rsv == 4 && f.fin && !f.control() {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "deflate-always", bug: "every message is decompressed once compression is agreed on",
			killedBy: []string{"rfc6455.deflate.plain-message", "rfc6455.deflate.mixed"},
			up: func(l *link, f frame) []frame {
				if l.deflate.Load() && f.opcode == opText && f.rsv == 0 {
					f.rsv, f.raw = 4, nil
				}
				return pass(f)
			},
		},
		{
			name: "deflate-fragments", bug: "each fragment is decompressed by itself",
			killedBy: []string{"rfc6455.deflate.fragments", "rfc6455.deflate.fragments-every-place", "rfc6455.deflate.ping-between"},
			up: func(l *link, f frame) []frame {
				if l.deflate.Load() && !f.control() && (!f.fin || f.opcode == opContinuation) {
					f.rsv, f.opcode, f.fin, f.raw = 4, opText, true, nil
				}
				return pass(f)
			},
		},
		{
			name: "deflate-empty", bug: "an empty compressed message is an error",
			killedBy: []string{"rfc6455.deflate.empty-block"},
			up: func(l *link, f frame) []frame {
				if l.deflate.Load() && f.rsv == 4 && len(f.payload) < 2 {
					f.rsv, f.raw = 2, nil
				}
				return pass(f)
			},
		},
		{
			name: "deflate-garbage", bug: "a message that cannot be decompressed is passed over",
			killedBy: []string{"rfc6455.deflate.garbage"},
			up: func(l *link, f frame) []frame {
				if l.deflate.Load() && f.rsv == 4 && f.fin {
					if _, err := new(client.Inflater).Inflate(f.payload); err != nil {
						return nil
					}
				}
				return pass(f)
			},
		},
	}
}
