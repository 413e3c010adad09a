package mutants

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

// message is a text frame with o in it.
func message(o object) []frame { return text(o.String()) }

func text(s string) []frame { return []frame{{fin: true, opcode: opText, payload: []byte(s)}} }

// messages is a hook for the messages of either side: f is given those whose
// event begins with prefix, and returns what goes on in their place.
func messages(prefix string, change func(l *link, o object) []frame) hook {
	return func(l *link, f frame) []frame {
		if !f.isText() {
			return pass(f)
		}
		o := parse(f.payload)
		if o == nil || !strings.HasPrefix(o.str("event"), prefix) {
			return pass(f)
		}
		out := change(l, o)
		if out == nil {
			return nil
		}
		for i := range out {
			out[i].masked = f.masked
		}
		return out
	}
}

// events is messages for those of backends and clients, not of the protocol.
func events(change func(l *link, o object) []frame) hook {
	return func(l *link, f frame) []frame {
		if o := parse(f.payload); f.isText() && o != nil && !strings.HasPrefix(o.str("event"), "pusher") {
			return change(l, o)
		}
		return pass(f)
	}
}

// always replaces a key of the messages whose event begins with prefix, with
// JSON; "" takes it out.
func always(prefix, key, value string) hook {
	return messages(prefix, func(_ *link, o object) []frame { return message(o.set(key, value)) })
}

// lost has messages get lost.
func lost(prefix string) hook {
	return messages(prefix, func(*link, object) []frame { return nil })
}

func closeFrame(code int) frame {
	return frame{fin: true, opcode: opClose, payload: []byte{byte(code >> 8), byte(code)}}
}

// requestLine is a hook for the first line of a handshake.
func requestLine(change func(line string) string) func(string) string {
	return func(head string) string {
		line, rest, _ := strings.Cut(head, "\r\n")
		return change(line) + "\r\n" + rest
	}
}

var (
	protocolParam = regexp.MustCompile(`protocol=[^& ]*`)
	keyInPath     = regexp.MustCompile(`/app/[^? ]*`)
)

func knownKey(line string) bool {
	for _, c := range byID() {
		if keyInPath.FindString(line) == "/app/"+c.Key {
			return true
		}
	}
	return false
}

func connectionMutants() []mutant {
	return []mutant{
		{
			name: "greeting-object", bug: "the data of connection_established is an object", total: true,
			killedBy: []string{"CON-01", "CON-02", "CON-25"},
			down: messages("pusher:connection_established", func(_ *link, o object) []frame {
				return message(o.set("data", o.str("data")))
			}),
		},
		{
			name: "greeting-no-timeout", bug: "the greeting has no activity_timeout", total: true,
			killedBy: []string{"CON-01", "CON-02"},
			down: messages("pusher:connection_established", func(_ *link, o object) []frame {
				return message(o.setString("data", o.data().set("activity_timeout", "").String()))
			}),
		},
		{
			name: "socket-id-constant", bug: "all connections have the same socket ID",
			killedBy: []string{"CON-18"},
			down: messages("pusher:connection_established", func(_ *link, o object) []frame {
				return message(o.setString("data", o.data().setString("socket_id", "1.1").String()))
			}),
		},
		{
			name: "version-7-only", bug: "only version 7 of the protocol is spoken",
			killedBy: []string{"CON-02", "CON-03"},
			also:     []string{"CON-04"},
			head: requestLine(func(line string) string {
				if p := protocolParam.FindString(line); p != "" && p != "protocol=7" {
					return strings.Replace(line, p, "protocol=99", 1)
				}
				return line
			}),
		},
		{
			name: "version-any", bug: "any version of the protocol is taken",
			killedBy: []string{"CON-05", "CON-06", "CON-07"},
			head: requestLine(func(line string) string {
				return protocolParam.ReplaceAllString(line, "protocol=7")
			}),
		},
		{
			name: "version-required", bug: "the parameters must come as pusher-js sends them",
			killedBy: []string{"CON-04"},
			head: requestLine(func(line string) string {
				if strings.Contains(line, "?protocol=") || !strings.Contains(line, "protocol=") {
					return line
				}
				return protocolParam.ReplaceAllString(line, "protocol=x")
			}),
		},
		{
			name: "unknown-app-http", bug: "an unknown app is refused with an HTTP status",
			killedBy: []string{"CON-09", "CON-10"},
			head: func(head string) string {
				if line, _, _ := strings.Cut(head, "\r\n"); !knownKey(line) {
					return header("Upgrade:", "")(head)
				}
				return head
			},
		},
		{
			name: "unknown-app-served", bug: "a key that nobody has is that of the first app",
			killedBy: []string{"CON-09", "CON-10"},
			head: requestLine(func(line string) string {
				if !knownKey(line) {
					return keyInPath.ReplaceAllString(line, "/app/key-main")
				}
				return line
			}),
		},
		{
			name: "error-silent", bug: "errors are not told",
			killedBy: []string{"CON-09", "CON-10", "SUB-11", "SUB-12", "SUB-13", "SUB-14", "SUB-18", "PRES-10"},
			also:     []string{"CON-08", "PRES-11", "SUB-15"},
			down:     lost("pusher:error"),
		},
		{
			name: "error-string", bug: "the data of pusher:error is a string",
			killedBy: []string{"CON-10", "SUB-18", "CON-25"},
			also:     []string{"CON-09", "CON-11", "SUB-19"},
			down: messages("pusher:error", func(_ *link, o object) []frame {
				return message(o.setString("data", string(o["data"])))
			}),
		},
		{
			name: "refusal-4200", bug: "who is refused is told to come back at once",
			killedBy: []string{"CON-15", "CON-09"},
			also:     []string{"CON-08", "CON-10", "CON-13"},
			down: func(_ *link, f frame) []frame {
				if c := f.closeCode(); c >= 4000 && c < 4100 {
					f = f.withCode(4200)
				}
				return pass(f)
			},
		},
		{
			name: "close-4301", bug: "who sends too many client events is closed with 4301",
			killedBy: []string{"CON-16"},
			down: messages("pusher:error", func(_ *link, o object) []frame {
				if string(o.data()["code"]) == "4301" {
					return append(message(o), closeFrame(4301))
				}
				return message(o)
			}),
		},
		{
			name: "garbage-closes", bug: "a message that is none ends the connection",
			killedBy: []string{"CON-19"},
			down: messages("pusher:error", func(_ *link, o object) []frame {
				if strings.Contains(string(o["data"]), "Invalid message format") {
					return append(message(o), closeFrame(4200))
				}
				return message(o)
			}),
		},
		{
			name: "pong-no-data", bug: "pusher:pong has no data", total: true,
			killedBy: []string{"CON-25", "HB-01", "HB-02"},
			down:     always("pusher:pong", "data", ""),
		},
		{
			name: "ping-lost", bug: "pusher:ping is not answered", total: true,
			killedBy: []string{"HB-01", "HB-02"},
			down:     lost("pusher:pong"),
		},
		{
			name: "ping-wants-object", bug: "pusher:ping is answered only if its data is an object",
			killedBy: []string{"HB-02"},
			up: messages("pusher:ping", func(_ *link, o object) []frame {
				if d := o["data"]; len(d) == 0 || d[0] != '{' {
					return nil
				}
				return message(o)
			}),
		},
		{
			name: "ping-limited", bug: "more than twenty pings are too many",
			killedBy: []string{"HB-07"},
			up: func(l *link, f frame) []frame {
				if !strings.Contains(string(f.payload), "pusher:ping") {
					return pass(f)
				}
				n := len(l.note("pings", "")) + 1
				l.note("pings", strings.Repeat("x", n))
				if n > 20 {
					l.toClient(`{"event":"pusher:error","data":{"code":4301,"message":"Rate limit exceeded"}}`)
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "pong-refused", bug: "pusher:pong is an unknown event",
			killedBy: []string{"HB-06"},
			up:       always("pusher:pong", "event", `"pusher:pung"`),
		},
		{
			name: "ping-as-event", bug: "a silent client is pinged with pusher:ping only, which native clients ignore",
			killedBy: []string{"HB-05"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opPing {
					return text(`{"event":"pusher:ping","data":{}}`)
				}
				return pass(f)
			},
		},
		{
			name: "dead-not-noticed", bug: "a client that is silent is never closed",
			killedBy: []string{"HB-04"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].PingInterval = time.Hour
				}
			},
		},
		{
			name: "message-limit-off", bug: "a message of a megabyte is taken",
			killedBy: []string{"CON-21", "security.frame.endless"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxMessageSize = 64 << 20
				}
			},
		},
	}
}

// subscribing is a hook for what clients send when they subscribe. It is given
// the message and its data.
func subscribing(change func(l *link, data object) object) hook {
	return messages("pusher:subscribe", func(l *link, o object) []frame {
		d := change(l, o.data())
		if d == nil {
			return nil
		}
		return message(o.set("data", d.String()))
	})
}

// signed is data with the signature of the app, for the connection.
func (l *link) signed(data object) object {
	c := credentialsOf(mainApp)
	return data.setString("auth", client.ChannelAuth(c.Key, c.Secret, l.id(), data.str("channel"), data.str("channel_data")))
}

func private(channel string) bool {
	return strings.HasPrefix(channel, "private-") || strings.HasPrefix(channel, "presence-")
}

// lenient is a mutant that takes an auth that it should not: where it holds, it
// is as good as signed.
func lenient(name, bug string, holds func(l *link, data object) bool, killedBy ...string) mutant {
	return mutant{
		name: name, bug: bug, killedBy: killedBy,
		up: subscribing(func(l *link, d object) object {
			if private(d.str("channel")) && holds(l, d) {
				return l.signed(d)
			}
			return d
		}),
	}
}

var validName = regexp.MustCompile(`^[A-Za-z0-9_\-=@,.;]{1,200}$`)

func subscriptionMutants() []mutant {
	key := credentialsOf(mainApp).Key
	signature := func(d object) string { _, s, _ := strings.Cut(d.str("auth"), ":"); return s }
	sign := func(text string) string { return client.Sign(credentialsOf(mainApp).Secret, text) }
	return []mutant{
		{
			name: "subscribed-object", bug: "the data of subscription_succeeded is an object", total: true,
			killedBy: []string{"SUB-01", "SUB-02", "SUB-10", "SUB-20"},
			down:     always("pusher_internal:subscription_succeeded", "data", "{}"),
		},
		{
			name: "subscribed-no-channel", bug: "subscription_succeeded does not say which channel", total: true,
			killedBy: []string{"SUB-01", "SUB-10"},
			down:     always("pusher_internal:subscription_succeeded", "channel", ""),
		},
		{
			name: "encrypted-empty", bug: "the data of subscription_succeeded is empty for an encrypted channel",
			killedBy: []string{"SUB-20"},
			also:     []string{"SUB-21"},
			down: messages("pusher_internal:subscription_succeeded", func(_ *link, o object) []frame {
				if strings.HasPrefix(o.str("channel"), "private-encrypted-") {
					o = o.set("data", `""`)
				}
				return message(o)
			}),
		},
		{
			name: "encrypted-decoded", bug: "the data of an encrypted event is decoded and encoded again",
			killedBy: []string{"SUB-21"},
			down: events(func(_ *link, o object) []frame {
				if strings.HasPrefix(o.str("channel"), "private-encrypted-") {
					o = o.set("data", o.str("data"))
				}
				return message(o)
			}),
		},
		{
			name: "auth-required", bug: "a public channel needs the key auth",
			killedBy: []string{"SUB-02"},
			up: subscribing(func(_ *link, d object) object {
				if d["auth"] == nil {
					return d.setString("channel", "")
				}
				return d
			}),
		},
		{
			name: "data-object", bug: "the data of an event is an object if it can be",
			killedBy: []string{"SUB-03", "CON-25", "HE-04", "CEV-03"}, total: true,
			down: events(func(_ *link, o object) []frame {
				if s := o.str("data"); json.Valid([]byte(s)) {
					o = o.set("data", s)
				}
				return message(o)
			}),
		},
		{
			name: "event-with-user", bug: "an event of the backend has a user_id", total: true,
			killedBy: []string{"SUB-03"},
			down:     events(func(_ *link, o object) []frame { return message(o.set("user_id", `"server"`)) }),
		},
		{
			name: "event-twice", bug: "every event is delivered twice", total: true,
			killedBy: []string{"HE-03", "CEV-01"},
			down:     events(func(_ *link, o object) []frame { return append(message(o), message(o)...) }),
		},
		{
			name: "unsubscribe-answered", bug: "unsubscribing is answered",
			killedBy: []string{"SUB-05"},
			also:     []string{"SUB-06"},
			up: messages("pusher:unsubscribe", func(l *link, o object) []frame {
				l.toClient(`{"event":"pusher_internal:unsubscribed","data":"{}"}`)
				return message(o)
			}),
		},
		{
			name: "unsubscribe-ignored", bug: "unsubscribing does nothing",
			killedBy: []string{"SUB-05", "SUB-07", "CEV-12", "PRES-07"},
			also:     []string{"PRES-08"},
			up:       lost("pusher:unsubscribe"),
		},
		{
			name: "unsubscribe-late", bug: "unsubscribing is done after what comes next",
			killedBy: []string{"SUB-07"},
			up: func(l *link, f frame) []frame {
				if strings.Contains(string(f.payload), "pusher:unsubscribe") {
					l.note("late", string(f.payload))
					return nil
				}
				if late := l.note("late", ""); late != "" {
					return []frame{f, {fin: true, opcode: opText, masked: true, payload: []byte(late)}}
				}
				return pass(f)
			},
		},
		{
			name: "channels-few", bug: "a connection may be in a hundred channels",
			killedBy: []string{"SUB-23"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxChannelsPerConnection = 100
				}
			},
		},
		{
			name: "gone-stays", bug: "a client that is cut off stays in its channels",
			killedBy: []string{"SUB-24", "security.frame.gone"},
			keep:     true,
		},
		{
			name: "names-any", bug: "a channel may have any name",
			killedBy: []string{"SUB-08", "SUB-26", "security.channel.names"},
			also:     []string{"security.channel.of-another-user"},
			up: subscribing(func(l *link, d object) object {
				if name := d.str("channel"); !validName.MatchString(name) {
					l.toClient(fmt.Sprintf(`{"event":"pusher_internal:subscription_succeeded","channel":%s,"data":"{}"}`, quote(name)))
					return nil
				}
				return d
			}),
		},
		{
			name: "names-few", bug: "a channel's name is of letters, digits and dashes",
			killedBy: []string{"SUB-09"},
			up: subscribing(func(_ *link, d object) object {
				if strings.ContainsAny(d.str("channel"), "=@,.;") {
					return d.setString("channel", "not valid")
				}
				return d
			}),
		},
		{
			name: "names-short", bug: "a channel's name may have a hundred characters",
			killedBy: []string{"SUB-09"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxChannelName = 100
				}
			},
		},
		{
			name: "prefix-no-dash", bug: "a channel is private if its name begins with private",
			killedBy: []string{"SUB-22"},
			up: subscribing(func(_ *link, d object) object {
				if n := d.str("channel"); !private(n) && (strings.HasPrefix(n, "private") || strings.HasPrefix(n, "presence")) {
					return d.setString("channel", "private-"+n)
				}
				return d
			}),
		},
		{
			name: "private-refused", bug: "no private channel can be subscribed to",
			killedBy: []string{"SUB-10", "SUB-16", "SUB-17", "SUB-20", "PRES-01", "CEV-01"},
			also:     []string{"CEV-02", "PRES-02", "SUB-15", "SUB-18", "SUB-21"},
			up: subscribing(func(_ *link, d object) object {
				if private(d.str("channel")) {
					return d.setString("auth", "")
				}
				return d
			}),
		},
		{
			name: "channel-data-null", bug: "channel_data must not be null",
			killedBy: []string{"SUB-17"},
			up: subscribing(func(_ *link, d object) object {
				if string(d["channel_data"]) == "null" {
					return d.set("channel_data", "5")
				}
				return d
			}),
		},
		lenient("auth-unchecked", "the signature of a subscription is not checked",
			func(*link, object) bool { return true },
			"SUB-11", "SUB-12", "SUB-13", "SUB-14", "SUB-15", "SUB-16", "SUB-18", "SUB-19", "CACHE-07", "PRES-12",
			"security.auth.signatures", "security.auth.other-app", "security.auth.confusion", "security.auth.no-member-data"),
		lenient("auth-optional", "a subscription without auth is as good as one with it",
			func(_ *link, d object) bool { return d.str("auth") == "" }, "SUB-11", "CACHE-07"),
		lenient("auth-any-form", "an auth that is no key and signature will do",
			func(_ *link, d object) bool { return d.str("auth") != "" && !strings.Contains(d.str("auth"), ":") }, "SUB-12"),
		lenient("auth-any-key", "the key in an auth is not looked at",
			func(l *link, d object) bool {
				return l.signed(d).str("auth") == key+":"+signature(d)
			}, "SUB-13"),
		lenient("auth-any-signature", "a signature may be anything, as long as the key is right",
			func(_ *link, d object) bool { return strings.HasPrefix(d.str("auth"), key+":") },
			"SUB-14", "SUB-15", "SUB-16", "PRES-12", "security.auth.signatures", "security.auth.confusion", "security.auth.no-member-data"),
		lenient("auth-any-socket", "the signature for another connection will do",
			func(l *link, d object) bool {
				for _, other := range l.others() {
					if other.signed(d).str("auth") == d.str("auth") {
						return true
					}
				}
				return false
			}, "SUB-15"),
		lenient("auth-without-data", "the signature need not cover channel_data",
			func(l *link, d object) bool {
				return signature(d) == sign(l.id()+":"+d.str("channel"))
			}, "SUB-16"),
		{
			name: "auth-second-app", bug: "the secret of any app is good enough",
			killedBy: []string{"security.auth.other-app"},
			up: subscribing(func(l *link, d object) object {
				for _, c := range byID() {
					if private(d.str("channel")) && client.ChannelAuth(c.Key, c.Secret, l.id(), d.str("channel"), d.str("channel_data")) == d.str("auth") {
						return l.signed(d)
					}
				}
				return d
			}),
		},
	}
}

// counter counts, for mutants that break now and then.
type counter struct{ n atomic.Int64 }

// every reports true each nth time.
func (c *counter) every(n int64) bool { return c.n.Add(1)%n == 0 }
