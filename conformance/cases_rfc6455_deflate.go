package conformance

import (
	"bytes"
	"compress/flate"
	"net/http"
	"strings"

	"github.com/revurb/revurb/conformance/client"
)

const extensions = "Sec-Websocket-Extensions"

// offer opens a connection with offers of extensions, and returns what the
// server has agreed to.
func (t *T) offer(offers ...string) (c *Conn, agreed string) {
	c = t.ConnectTo(Dialing{Header: http.Header{extensions: offers}})
	return c, strings.Join(c.Raw.Response.Header[extensions], ",")
}

// deflateOfferCases are how compression is negotiated.
func deflateOfferCases() []Case {
	var cases []Case
	for _, o := range []struct{ id, title, section, offer string }{
		{"none", "an extension that was not offered is not used", "RFC 6455, section 9.1", ""},
		{"unknown", "an unknown extension is not accepted", "RFC 6455, section 9.1", "x-no-such-extension; level=9"},
		{"unknown-param", "an offer with an unknown parameter is declined", "RFC 7692, section 7", "permessage-deflate; x_no_such_parameter"},
		{"duplicate-param", "an offer with a parameter that occurs twice is declined", "RFC 7692, section 7", "permessage-deflate; client_no_context_takeover; client_no_context_takeover"},
		{"window-too-small", "an offer with a window of 7 bits is declined", "RFC 7692, section 7.1.2.1", "permessage-deflate; server_max_window_bits=7"},
		{"window-too-large", "an offer with a window of 16 bits is declined", "RFC 7692, section 7.1.2.1", "permessage-deflate; server_max_window_bits=16"},
		{"window-leading-zero", "an offer with a window of 010 bits is declined", "RFC 7692, section 7.1.2.1", "permessage-deflate; server_max_window_bits=010"},
		{"window-no-value", "an offer of server_max_window_bits without a value is declined", "RFC 7692, section 7.1.2.1", "permessage-deflate; server_max_window_bits"},
		{"client-window-too-large", "an offer with a client's window of 16 bits is declined", "RFC 7692, section 7.1.2.2", "permessage-deflate; client_max_window_bits=16"},
		{"takeover-value", "an offer of server_no_context_takeover with a value is declined", "RFC 7692, section 7.1.1.1", "permessage-deflate; server_no_context_takeover=1"},
		{"webkit", "the extension that old browsers had is not accepted by its new name", "RFC 7692, section 9", "x-webkit-deflate-frame"},
	} {
		cases = append(cases, Case{
			ID: "rfc6455.deflate.offer-" + o.id, Title: o.title, Level: Must, Source: o.section,
			Requirement: "A server accepts only what was offered and only what it understands; it declines an offer that is malformed, and the connection works without it.",
			Run: func(t *T) {
				var offers []string
				if o.offer != "" {
					offers = []string{o.offer}
				}
				c, agreed := t.offer(offers...)
				if agreed != "" {
					t.Mismatch("answer to the offer "+o.offer, "no Sec-WebSocket-Extensions", agreed)
				}
				c.Send(pingText)
				c.ExpectPong("a ping on a connection without extensions")
			},
		})
	}
	for _, o := range []struct {
		id, title, section string
		offers             []string
		must               bool // be accepted
	}{
		{"plain", "an offer without parameters is accepted", "7.1", []string{"permessage-deflate"}, true},
		{"browser", "the offer of browsers is accepted", "7.1.2.2", []string{"permessage-deflate; client_max_window_bits"}, true},
		{"server-takeover", "an offer that wants no context takeover is accepted so or declined", "7.1.1.1", []string{"permessage-deflate; server_no_context_takeover"}, false},
		{"server-window", "an offer that wants a small window is accepted so or declined", "7.1.2.1", []string{"permessage-deflate; server_max_window_bits=9"}, false},
		{"fallback", "of two offers the one that can be kept to is accepted", "5.1", []string{"permessage-deflate; x_no_such_parameter, permessage-deflate"}, true},
		{"two-headers", "offers in two headers are one list", "5.1", []string{"x-no-such-extension", "permessage-deflate"}, true},
		{"quoted", "a value in quotes is a value", "5.1", []string{`permessage-deflate; client_max_window_bits="15"`}, false},
	} {
		c := Case{
			ID: "rfc6455.deflate.offer-" + o.id, Title: o.title, Level: Must, Source: "RFC 7692, section " + o.section,
			Requirement: "What a server agrees to is a response to one of the offers, with every promise that the offer asks for, and none that it does not allow.",
			Needs:       []Capability{CapCompression},
			Run: func(t *T) {
				c, agreed := t.offer(o.offers...)
				if o.must && agreed == "" {
					t.Mismatch("answer to the offer "+strings.Join(o.offers, ", "), "permessage-deflate", "no Sec-WebSocket-Extensions")
				}
				if problem := disagrees(strings.Join(o.offers, ","), agreed); problem != "" {
					t.Mismatch("answer to the offer "+strings.Join(o.offers, ", "), problem, agreed)
				}
				c.Send(pingText)
				c.ExpectPong("a ping on a connection with that extension")
			},
		}
		cases = append(cases, c)
	}
	return cases
}

// disagrees returns what an answer to an offer should have been, or "".
func disagrees(offer, agreed string) string {
	if agreed == "" {
		return ""
	}
	params := strings.Split(agreed, ";")
	if strings.TrimSpace(params[0]) != "permessage-deflate" || strings.Contains(agreed, ",") {
		return "permessage-deflate, once"
	}
	seen := map[string]bool{}
	for _, p := range params[1:] {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		switch {
		case seen[name]:
			return "each parameter once"
		case name == "client_max_window_bits" && !strings.Contains(offer, name):
			return "no client_max_window_bits, which the offer does not allow (section 7.1.2.2)"
		case name == "server_max_window_bits" && strings.Contains(offer, name+"=9") && value != "8" && value != "9":
			return "server_max_window_bits of 9 or less"
		}
		seen[name] = true
	}
	for _, asked := range []string{"server_no_context_takeover", "server_max_window_bits"} {
		if strings.Contains(offer, asked) && !seen[asked] {
			return asked + ", which the offer asks for"
		}
	}
	return ""
}

// deflated is a compressed text message.
func deflated(text string) client.Frame {
	f := client.Text(string(client.Deflate([]byte(text))))
	f.RSV = rsv1
	return f
}

// compressedCase is a case about a connection with compression.
func compressedCase(id, section, title, requirement string, run func(*T, *Conn)) Case {
	return Case{
		ID: "rfc6455.deflate." + id, Title: title, Level: Must, Source: "RFC 7692, section " + section,
		Requirement: requirement, Needs: []Capability{CapCompression},
		Run: func(t *T) {
			c, agreed := t.offer("permessage-deflate")
			if agreed == "" {
				t.Mismatch("answer to the offer permessage-deflate", "permessage-deflate, as the target claims compression", "no Sec-WebSocket-Extensions")
			}
			run(t, c)
		},
	}
}

// deflateStreamCases are compressed messages.
func deflateStreamCases() []Case {
	understood := func(frames ...client.Frame) func(*T, *Conn) {
		return func(_ *T, c *Conn) {
			c.SendFrames(frames...)
			c.ExpectPong("a ping that is compressed")
		}
	}
	text := pingOf(1000)
	whole := deflated(text)
	cut := func(at ...int) (frames []client.Frame) {
		frames = fragments(string(whole.Payload), at...)
		frames[0].RSV = rsv1
		return frames
	}
	return []Case{
		compressedCase("message", "7.2.2", "a compressed message is understood",
			"A message with RSV1 set is decompressed after the bytes 00 00 ff ff are appended to it.", understood(whole)).alias("12.1.1"),
		compressedCase("plain-message", "6", "a message that is not compressed is understood",
			"An endpoint may send messages without compression: RSV1 says which are.", understood(client.Text(text))),
		compressedCase("mixed", "6", "compressed messages and others may follow each other",
			"RSV1 is set for each message.",
			func(_ *T, c *Conn) {
				for range 3 {
					c.SendFrames(whole, client.Text(text))
					c.ExpectPong("a ping that is compressed")
					c.ExpectPong("a ping that is not compressed")
				}
			}),
		compressedCase("fragments", "6.1", "a compressed message in fragments is understood",
			"A message is compressed first and fragmented then: RSV1 is in the first fragment only.", understood(cut(5, 11)...)),
		compressedCase("fragments-every-place", "6.1", "a compressed message may be cut anywhere",
			"A message is compressed first and fragmented then.",
			func(_ *T, c *Conn) {
				for at := range len(whole.Payload) + 1 {
					c.SendFrames(cut(at)...)
					c.ExpectPong("a ping that is compressed, in two fragments")
				}
			}),
		compressedCase("ping-between", "6", "a ping between compressed fragments is answered",
			"Control frames are never compressed.",
			func(_ *T, c *Conn) {
				frames := cut(5)
				c.SendFrames(frames[0], client.Control(client.OpPing, "between"), frames[1])
				c.expectControlPong("between")
				c.ExpectPong("a ping that is compressed, in two fragments")
			}),
		compressedCase("empty-block", "7.2.3.6", "an empty message of one byte is decompressed",
			"An empty message may be compressed to the byte 00.",
			func(_ *T, c *Conn) {
				f := client.Text("\x00")
				f.RSV = rsv1
				c.SendFrames(f)
				c.passError()
				c.Send(pingText)
				c.ExpectPong("a ping after an empty message")
			}),
		compressedCase("stored", "7.2.3.3", "a message in blocks without compression is understood",
			"Any sequence of DEFLATE blocks is valid.", understood(storedMessage(text))),
		compressedCase("final-block", "7.2.3.4", "a message in a block with BFINAL is understood",
			"An endpoint that uses BFINAL 1 is within its rights.", understood(finalMessage(text))),
		compressedCase("several-blocks", "7.2.3.5", "a message in two blocks is understood",
			"Any sequence of DEFLATE blocks is valid.", understood(blocks(text[:500], text[500:]))),
		compressedCase("repeated", "7.1.1", "the same message many times over is understood",
			"Whether the context is taken over is agreed on, and kept to.",
			func(_ *T, c *Conn) {
				for range 20 {
					c.SendFrames(whole)
					c.ExpectPong("a ping that is compressed")
				}
			}),
		compressedCase("rsv1-continuation", "6.1", "RSV1 in a later fragment fails the connection",
			"RSV1 must not be set in a frame that is not the first of a message.",
			func(_ *T, c *Conn) {
				frames := cut(5)
				frames[1].RSV = rsv1
				c.SendFrames(frames...)
				c.ExpectFailed("RSV1 in a continuation", protocolError...)
			}),
		compressedCase("rsv1-control", "6", "RSV1 in a control frame fails the connection",
			"An endpoint must not set RSV1 in a control frame.",
			func(_ *T, c *Conn) {
				f := client.Control(client.OpPing, "ping")
				f.RSV = rsv1
				c.SendFrames(f, client.Text(pingText))
				c.ExpectFailed("RSV1 in a ping", protocolError...)
			}),
		compressedCase("rsv2", "6", "RSV2 in a compressed message fails the connection",
			"Only RSV1 has a meaning.",
			func(_ *T, c *Conn) {
				f := deflated(text)
				f.RSV |= 2
				c.SendFrames(f, client.Text(pingText))
				c.ExpectFailed("RSV2", protocolError...)
			}),
		compressedCase("garbage", "7.2.2", "a message that cannot be decompressed fails the connection",
			"A message that is no DEFLATE stream has no meaning: the connection cannot go on.",
			func(_ *T, c *Conn) {
				f := client.Text("\xff\xff\xff\xff not deflate")
				f.RSV = rsv1
				c.SendFrames(f, client.Text(pingText))
				c.ExpectFailed("a stream that is no DEFLATE", 1007, 1002, 1011, 1003)
			}),
		compressedCase("invalid-utf8", "6", "compressed text that is not UTF-8 fails the connection",
			"The rules for text hold for what was compressed (RFC 6455, section 8.1).",
			func(_ *T, c *Conn) {
				c.SendFrames(deflated(pingWith("\xed\xa0\x80")), client.Text(pingText))
				c.ExpectFailed("compressed text with a surrogate", badData...)
			}),
		compressedCase("bomb", "8", "a message that is small only while compressed is refused",
			"The limit for messages holds for what they are when decompressed: a server must not fill its memory at a client's wish.",
			func(_ *T, c *Conn) {
				text := pingText + strings.Repeat(" ", 4<<20)
				c.expectTooBig(deflated(text))
			}).heavy(),
	}
}

// passError takes the pusher:error of a message that is no JSON, if there is
// one.
func (c *Conn) passError() {
	for _, m := range c.Fence() {
		if m.Event != "pusher:error" {
			c.t.Mismatch("after an empty message", "at most a pusher:error", m.String())
		}
	}
}

func compressedFrame(payload []byte) client.Frame {
	f := client.Text(string(payload))
	f.RSV = rsv1
	return f
}

// storedMessage is text in DEFLATE blocks of type 0.
func storedMessage(text string) client.Frame {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.NoCompression) // fails for unknown levels only
	_, _ = w.Write([]byte(text))                     // a bytes.Buffer does not fail
	_ = w.Flush()
	return compressedFrame(bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")))
}

// finalMessage is text in a block with BFINAL, and the byte 00 that makes an
// empty block of what is appended.
func finalMessage(text string) client.Frame {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for unknown levels only
	_, _ = w.Write([]byte(text))                       // a bytes.Buffer does not fail
	_ = w.Close()
	return compressedFrame(append(b.Bytes(), 0))
}

// blocks is a message with a flush between its parts.
func blocks(parts ...string) client.Frame {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for unknown levels only
	for _, p := range parts {
		_, _ = w.Write([]byte(p)) // a bytes.Buffer does not fail
		_ = w.Flush()
	}
	return compressedFrame(bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff")))
}
