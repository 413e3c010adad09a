package mutants

import (
	"bytes"
	"regexp"
	"strings"
)

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
				whole := wholeFrames(b) > 0
				if bytes.HasPrefix(b, []byte("GET ")) { // which could be taken for the beginning of a frame
					whole = l.segment >= len(b)
				}
				if !whole {
					return nil
				}
				return b
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
