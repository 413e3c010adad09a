package mutants

import (
	"strings"

	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

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
