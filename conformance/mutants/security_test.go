package mutants

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

func securityMutants() []mutant {
	has := func(texts ...string) func(head string) bool {
		return func(head string) bool {
			return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(head, t) })
		}
	}
	return []mutant{
		{
			name: "request-malformed", bug: "a malformed request is read as well as can be",
			killedBy: []string{"security.handshake.malformed"},
			lax: func(head string) bool {
				return unusual.MatchString(head) || !strings.Contains(strings.ToLower(head), "\nhost:")
			},
		},
		{
			name: "request-smuggled", bug: "of two lengths of a body one is believed",
			killedBy: []string{"security.http.smuggling"},
			lax:      has("Transfer-Encoding", "Content-Length: 0\r\nContent-Length", "Content-Length: +"),
		},
		{
			name: "request-announced", bug: "a body is refused only when it is there",
			killedBy: []string{"security.http.announced"},
			lax:      has("Content-Length: 1073741824"),
		},
		{
			name: "request-huge", bug: "the head of a request may be of any size",
			killedBy: []string{"security.http.huge-query"},
			lax:      func(head string) bool { return len(head) > 32<<10 },
		},
		{
			name: "header-huge", bug: "a handshake may have headers of any size",
			killedBy: []string{"security.handshake.huge-header"},
			config:   func(c *config.Config) { c.Server.MaxHeaderSize = 4 << 20 },
		},
		{
			name: "handshake-guessed", bug: "a handshake that lacks something is one",
			killedBy: []string{"security.handshake.incomplete"},
			also:     []string{"security.handshake.version"},
			head: func(head string) string {
				line, _, _ := strings.Cut(head, "\r\n")
				if strings.HasPrefix(line, "POST") || wellFormedKey.MatchString(head) && strings.Contains(head, "Version: 13") {
					return head
				}
				return header("Sec-WebSocket-[KV]|Connection|Upgrade", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")(head)
			},
		},
		{
			name: "refused-served", bug: "who is told that there is no such app is served nevertheless",
			killedBy: []string{"security.handshake.refused"},
			down: func(l *link, f frame) []frame {
				if f.closeCode() == 4001 {
					return append(text(`{"event":"pusher_internal:subscription_succeeded","channel":"x","data":"{}"}`), f)
				}
				return pass(f)
			},
		},
		{
			name: "origin-exact", bug: "origins are compared as text",
			killedBy: []string{"security.origin.allowed"},
			head: func(head string) string {
				return regexp.MustCompile(`Origin: (https://[A-Z].*|.*:\d+)\r\n`).ReplaceAllString(head, "Origin: https://evil.example\r\n")
			},
		},
		{
			name: "origin-contains", bug: "an origin is allowed if an allowed one is in it",
			killedBy: []string{"security.origin.refused"},
			head: func(head string) string {
				return regexp.MustCompile(`Origin: .*allowed\.example.*\r\n`).ReplaceAllString(head, "Origin: https://allowed.example\r\n")
			},
		},
		{
			name: "json-deep", bug: "deep JSON ends the connection",
			killedBy: []string{"security.json.deep"},
			up: func(_ *link, f frame) []frame {
				if bytes.Contains(f.payload, []byte("[[[[[[[[")) {
					f.opcode, f.raw = 3, nil
				}
				return pass(f)
			},
		},
		{
			name: "json-twice", bug: "a channel that is named twice is checked once and used the other time",
			killedBy: []string{"security.json.duplicate-keys"},
			up: func(l *link, f frame) []frame {
				names := regexp.MustCompile(`(?i)"channel":"([^"]*)"`).FindAllStringSubmatch(string(f.payload), -1)
				if !bytes.Contains(f.payload, []byte("pusher:subscribe")) || len(names) < 2 {
					return pass(f)
				}
				for _, n := range names {
					if private(n[1]) {
						return pass(f.with(`{"event":"pusher:subscribe","data":` + l.signed(object{}.setString("channel", n[1])).String() + `}`))
					}
				}
				return pass(f)
			},
		},
		{
			name: "json-escaped", bug: "whether a channel is private is decided before its name is decoded",
			killedBy: []string{"security.json.escapes"},
			up: func(l *link, f frame) []frame {
				if o := parse(f.payload); bytes.Contains(f.payload, []byte(`privat\u0065`)) && o != nil {
					return pass(f.with(o.set("data", l.signed(o.data()).String()).String()))
				}
				return pass(f)
			},
		},
		{
			name: "json-floats", bug: "numbers are rounded",
			killedBy: []string{"security.json.numbers", "HQ-09"},
			up: subscribing(func(l *link, d object) object {
				if strings.Contains(d.str("channel_data"), "9007199254740993") {
					return l.signed(d.setString("channel_data", strings.Replace(d.str("channel_data"), "9007199254740993", "9007199254740992", 1)))
				}
				return d
			}),
		},
		{
			name: "subscribed-twice", bug: "who subscribes twice gets everything twice",
			killedBy: []string{"security.channel.twice", "SUB-04"},
			up: subscribing(func(l *link, d object) object {
				if l.note("once:"+d.str("channel"), "yes") != "" {
					l.note("twice:"+d.str("channel"), "yes")
				}
				return d
			}),
			down: events(func(l *link, o object) []frame {
				if l.noted("twice:"+o.str("channel")) != "" {
					return append(message(o), message(o)...)
				}
				return message(o)
			}),
		},
		{
			name: "operators-public", bug: "metrics are for everyone",
			killedBy: []string{"security.http.operators"},
			http: func(x *exchange) answer {
				if x.path == "/metrics" {
					return answer{200, http.Header{}, "go_goroutines 1\n"}
				}
				return x.send()
			},
		},
		{
			name: "error-tells-signature", bug: "an error tells the signature that would have been right",
			killedBy: []string{"security.http.secrets"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status == http.StatusUnauthorized {
					var q []client.Param
					for name, values := range x.params() {
						if name != "auth_signature" {
							q = append(q, client.Param{Name: name, Value: values[0]})
						}
					}
					a.body += client.Sign(credentialsOf(mainApp).Secret, client.StringToSign(x.method, x.path, q)) + "\n"
				}
				return a
			},
		},
		{
			name: "header-injected", bug: "a line break in a path ends a header",
			killedBy: []string{"security.http.injection"},
			http: func(x *exchange) answer {
				a := x.send()
				if strings.Contains(strings.ToLower(x.path), "%0d%0a") {
					a.header.Set("X-Injected", "yes")
				}
				return a
			},
		},
	}
}
