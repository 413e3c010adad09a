package mutants

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/cache"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/presence"
)

// members are those of presence channels, with bugs.
type members struct {
	presence.Members
	join  func(list []presence.Member, first bool, m presence.Member) ([]presence.Member, bool)
	leave func(m presence.Member, last bool) (presence.Member, bool)
}

// Join implements presence.Members.
func (b members) Join(ctx context.Context, t channel.Topic, id string, m presence.Member, limit int) ([]presence.Member, bool, error) {
	list, first, err := b.Members.Join(ctx, t, id, m, limit)
	if b.join != nil && err == nil {
		list, first = b.join(list, first, m)
	}
	return list, first, err
}

// Leave implements presence.Members.
func (b members) Leave(ctx context.Context, t channel.Topic, id string) (presence.Member, bool, error) {
	m, last, err := b.Members.Leave(ctx, t, id)
	if b.leave != nil && err == nil && m.UserID != "" {
		m, last = b.leave(m, last)
	}
	return m, last, err
}

// store is a cache with bugs.
type store struct {
	cache.Store
	put func(ctx context.Context, t channel.Topic, e cache.Event, ttl time.Duration) error
	get func(e cache.Event, ok bool) (cache.Event, bool)
}

// Put implements cache.Store.
func (s store) Put(ctx context.Context, t channel.Topic, e cache.Event, ttl time.Duration) error {
	if s.put != nil {
		return s.put(ctx, t, e, ttl)
	}
	return s.Store.Put(ctx, t, e, ttl)
}

// Get implements cache.Store.
func (s store) Get(ctx context.Context, t channel.Topic) (cache.Event, time.Duration, bool, error) {
	e, ttl, ok, err := s.Store.Get(ctx, t)
	if s.get != nil {
		e, ok = s.get(e, ok)
	}
	return e, ttl, ok, err
}

// delivery is a broker with bugs.
type delivery struct {
	broker.Broker
	publish func(ctx context.Context, m broker.Message) error
}

// Publish implements broker.Broker.
func (d delivery) Publish(ctx context.Context, m broker.Message) error { return d.publish(ctx, m) }

// publishing is a change of what is published.
func publishing(change func(b broker.Broker, ctx context.Context, m broker.Message) error) func(*hub.Ports) {
	return func(p *hub.Ports) {
		b := p.Broker
		p.Broker = delivery{b, func(ctx context.Context, m broker.Message) error { return change(b, ctx, m) }}
	}
}

func joining(change func(list []presence.Member, first bool, m presence.Member) ([]presence.Member, bool)) func(*hub.Ports) {
	return func(p *hub.Ports) { p.Members = members{Members: p.Members, join: change} }
}

func leaving(change func(m presence.Member, last bool) (presence.Member, bool)) func(*hub.Ports) {
	return func(p *hub.Ports) { p.Members = members{Members: p.Members, leave: change} }
}

// presenceData is a hook for the members that a new one is told of.
func presenceData(change func(text string) string) hook {
	return messages("pusher_internal:subscription_succeeded", func(_ *link, o object) []frame {
		if strings.HasPrefix(o.str("channel"), "presence-") {
			o = o.setString("data", change(o.str("data")))
		}
		return message(o)
	})
}

var (
	countOf     = regexp.MustCompile(`"count":\d+`)
	emptyInfo   = regexp.MustCompile(`"[^"]*":\{\},?`)
	numericID   = regexp.MustCompile(`"(\d+)"([,\]}])`)
	userInfoKey = regexp.MustCompile(`,"user_info":.*`)
)

func presenceMutants() []mutant {
	lossy := new(counter)
	return []mutant{
		{
			name: "members-without-self", bug: "a new member is not in its own list",
			killedBy: []string{"PRES-01", "PRES-03"},
			also:     []string{"PRES-04"},
			ports: joining(func(list []presence.Member, first bool, m presence.Member) ([]presence.Member, bool) {
				return slices.DeleteFunc(slices.Clone(list), func(x presence.Member) bool { return x.UserID == m.UserID }), first
			}),
		},
		{
			name: "members-only-self", bug: "who comes later is told of nobody",
			killedBy: []string{"PRES-03"},
			also:     []string{"PRES-04"},
			ports: joining(func(list []presence.Member, first bool, m presence.Member) ([]presence.Member, bool) {
				return []presence.Member{m}, first
			}),
		},
		{
			name: "members-count", bug: "the count of members is not how many there are",
			killedBy: []string{"PRES-01", "PRES-03"},
			also:     []string{"PRES-02", "PRES-04"},
			down: presenceData(func(text string) string {
				return countOf.ReplaceAllStringFunc(text, func(s string) string { return s + "0" })
			}),
		},
		{
			name: "members-no-hash", bug: "a member without user_info is not in the hash",
			killedBy: []string{"PRES-09"},
			also:     []string{"PRES-19"},
			down: presenceData(func(text string) string {
				return strings.ReplaceAll(emptyInfo.ReplaceAllString(text, ""), ",}", "}")
			}),
		},
		{
			name: "members-proto", bug: "the hash is made as JavaScript makes objects",
			killedBy: []string{"PRES-21"},
			down: presenceData(func(text string) string {
				return strings.Replace(text, `"__proto__":`, `"":`, 1)
			}),
		},
		{
			name: "members-numbers", bug: "a user_id of digits is a number to others",
			killedBy: []string{"PRES-08"},
			also:     []string{"PRES-19"},
			down: func(l *link, f frame) []frame {
				return messages("pusher_internal:", func(_ *link, o object) []frame {
					return message(o.setString("data", numericID.ReplaceAllString(o.str("data"), "$1$2")))
				})(l, f)
			},
		},
		{
			name: "member-info-escaped", bug: "user_info is escaped for HTML",
			killedBy: []string{"PRES-19"},
			down: messages("pusher_internal:", func(_ *link, o object) []frame {
				return message(o.setString("data", strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(o.str("data"))))
			}),
		},
		{
			name: "member-added-no-info", bug: "member_added has no user_info",
			killedBy: []string{"PRES-02"},
			down: messages("pusher_internal:member_added", func(_ *link, o object) []frame {
				return message(o.setString("data", userInfoKey.ReplaceAllString(o.str("data"), "}")))
			}),
		},
		{
			name: "member-added-lost", bug: "nobody is told of new members",
			killedBy: []string{"PRES-02", "PRES-20"},
			ports: joining(func(list []presence.Member, _ bool, _ presence.Member) ([]presence.Member, bool) {
				return list, false
			}),
		},
		{
			name: "member-added-twice", bug: "the others are told of every connection of a user",
			killedBy: []string{"PRES-04"},
			also:     []string{"PRES-05"},
			ports: joining(func(list []presence.Member, _ bool, _ presence.Member) ([]presence.Member, bool) {
				return list, true
			}),
		},
		{
			name: "member-added-self", bug: "a member is told of itself",
			killedBy: []string{"PRES-02"},
			down: messages("pusher_internal:subscription_succeeded", func(_ *link, o object) []frame {
				var p struct{ Presence struct{ IDs []string } }
				if json.Unmarshal([]byte(o.str("data")), &p) != nil || len(p.Presence.IDs) == 0 {
					return message(o)
				}
				id := p.Presence.IDs[len(p.Presence.IDs)-1]
				return append(message(o), message(o.set("event", `"pusher_internal:member_added"`).setString("data", `{"user_id":`+quote(id)+`}`))...)
			}),
		},
		{
			name: "member-removed-lost", bug: "nobody is told of members who leave",
			killedBy: []string{"PRES-06", "PRES-07", "PRES-20"},
			also:     []string{"PRES-08"},
			ports:    leaving(func(m presence.Member, _ bool) (presence.Member, bool) { return m, false }),
		},
		{
			name: "member-removed-early", bug: "a user has left when one of its connections has",
			killedBy: []string{"PRES-05"},
			also:     []string{"PRES-06"},
			ports:    leaving(func(m presence.Member, _ bool) (presence.Member, bool) { return m, true }),
		},
		{
			name: "member-removed-sometimes", bug: "one in seven who leave is forgotten",
			killedBy: []string{"PRES-20"},
			ports: leaving(func(m presence.Member, last bool) (presence.Member, bool) {
				return m, last && !lossy.every(7)
			}),
		},
		{
			name: "member-data-optional", bug: "who says nothing of itself is somebody",
			killedBy: []string{"PRES-10", "security.auth.no-member-data"},
			up: subscribing(func(l *link, d object) object {
				if strings.HasPrefix(d.str("channel"), "presence-") && parse([]byte(d.str("channel_data"))).str("user_id") == "" {
					return l.signed(d.setString("channel_data", `{"user_id":"somebody"}`))
				}
				return d
			}),
		},
		{
			name: "member-unlimited", bug: "members are not limited, in number or in size",
			killedBy: []string{"PRES-13", "PRES-14", "PRES-15"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].MaxPresenceMembers, c.Apps[i].MaxPresenceMemberSize, c.Apps[i].MaxUserID = 0, 0, 0
				}
			},
		},
	}
}

func cacheMutants() []mutant {
	storing := func(make func(s cache.Store) store) func(*hub.Ports) {
		return func(p *hub.Ports) { p.Cache = make(p.Cache) }
	}
	return []mutant{
		{
			name: "cache-empty", bug: "nothing is cached",
			killedBy: []string{"CACHE-02", "CACHE-03", "CACHE-09"},
			also:     []string{"CACHE-08"},
			ports: storing(func(s cache.Store) store {
				return store{Store: s, get: func(e cache.Event, _ bool) (cache.Event, bool) { return e, false }}
			}),
		},
		{
			name: "cache-first", bug: "the first event is cached, and not the last",
			killedBy: []string{"CACHE-03"},
			ports: storing(func(s cache.Store) store {
				return store{Store: s, put: func(ctx context.Context, t channel.Topic, e cache.Event, ttl time.Duration) error {
					if _, _, ok, _ := s.Get(ctx, t); ok {
						return nil
					}
					return s.Put(ctx, t, e, ttl)
				}}
			}),
		},
		{
			name: "cache-for-ever", bug: "what is cached does not expire",
			killedBy: []string{"CACHE-05"},
			ports: storing(func(s cache.Store) store {
				return store{Store: s, put: func(ctx context.Context, t channel.Topic, e cache.Event, _ time.Duration) error {
					return s.Put(ctx, t, e, time.Hour)
				}}
			}),
		},
		{
			name: "cache-miss-silent", bug: "who misses the cache is not told",
			killedBy: []string{"CACHE-01"},
			also:     []string{"CACHE-02"},
			down:     lost("pusher:cache_miss"),
		},
		{
			name: "cache-leak", bug: "who may not subscribe is told what is cached",
			killedBy: []string{"CACHE-07"},
			up: subscribing(func(l *link, d object) object {
				l.proxy.mu.Lock()
				cached := l.memo["cached:"+d.str("channel")]
				l.proxy.mu.Unlock()
				if cached != "" && private(d.str("channel")) && l.signed(d).str("auth") != d.str("auth") {
					l.toClient(cached)
				}
				return d
			}),
			http: func(x *exchange) answer {
				if o := parse([]byte(x.body)); o.str("channel") != "" {
					x.share("cached:"+o.str("channel"), object{}.set("event", string(o["name"])).set("channel", string(o["channel"])).set("data", string(o["data"])).String())
				}
				return x.send()
			},
		},
		{
			name: "cache-client-events", bug: "client events are cached",
			killedBy: []string{"CACHE-04"},
			ports: func(p *hub.Ports) {
				b := p.Broker
				p.Broker = delivery{b, func(ctx context.Context, m broker.Message) error {
					if o := parse(m.Frame.Payload()); strings.HasPrefix(o.str("event"), "client-") {
						_ = p.Cache.Put(ctx, m.Topic, cache.Event{Name: o.str("event"), Data: o["data"]}, time.Minute) // never fails
					}
					return b.Publish(ctx, m)
				}}
			},
		},
	}
}

// relay is a mutant that passes client events on by itself, where it holds.
func relay(name, bug string, holds func(l *link, o object) bool, killedBy ...string) mutant {
	return mutant{
		name: name, bug: bug, killedBy: killedBy,
		up: func(l *link, f frame) []frame {
			o := parse(f.payload)
			channel := o.str("channel")
			switch event := o.str("event"); {
			case !f.isText():
			case event == "pusher:subscribe":
				l.note("in:"+o.data().str("channel"), "yes")
			case event == "pusher:unsubscribe":
				l.note("in:"+o.data().str("channel"), "")
			case event != "pusher:ping" && channel != "" && holds(l, o):
				for _, other := range l.others() {
					if other.noted("in:"+channel) != "" {
						other.toClient(o.setString("data", o.str("data")).String())
					}
				}
				return nil
			}
			return pass(f)
		},
	}
}

// noted is what note remembers.
func (l *link) noted(key string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.notes[key]
}

func clientEventMutants() []mutant {
	return []mutant{
		{
			name: "client-events-lost", bug: "client events get lost",
			killedBy: []string{"CEV-01", "CEV-02", "CEV-03"},
			also:     []string{"CEV-10"},
			up:       lost("client-"),
		},
		{
			name: "client-events-echoed", bug: "who sends a client event gets it, too",
			killedBy: []string{"CEV-01"},
			also:     []string{"CEV-02"},
			ports: publishing(func(b broker.Broker, ctx context.Context, m broker.Message) error {
				if bytes.Contains(m.Frame.Wire(), []byte(`"client-`)) {
					m.Except = ""
				}
				return b.Publish(ctx, m)
			}),
		},
		{
			name: "client-events-anonymous", bug: "a client event on a presence channel does not say who sent it",
			killedBy: []string{"CEV-02"},
			down:     always("client-", "user_id", ""),
		},
		{
			name: "client-events-named", bug: "a client event on a private channel says who sent it",
			killedBy: []string{"CEV-02"},
			down: messages("client-", func(_ *link, o object) []frame {
				if strings.HasPrefix(o.str("channel"), "private-") {
					o = o.set("user_id", `"someone"`)
				}
				return message(o)
			}),
		},
		{
			name: "client-events-object", bug: "the data of a client event is passed on as it is",
			killedBy: []string{"CEV-03"},
			also:     []string{"CEV-02", "CEV-10"},
			down: messages("client-", func(_ *link, o object) []frame {
				if s := o.str("data"); json.Valid([]byte(s)) {
					o = o.set("data", s)
				}
				return message(o)
			}),
		},
		{
			name: "client-events-spoofed", bug: "a client says itself who it is",
			killedBy: []string{"CEV-10"},
			up: messages("client-", func(l *link, o object) []frame {
				if id := o["user_id"]; id != nil {
					l.share("as:"+o.str("channel"), string(id))
				}
				return message(o)
			}),
			down: messages("client-", func(l *link, o object) []frame {
				l.proxy.mu.Lock()
				id := l.memo["as:"+o.str("channel")]
				l.proxy.mu.Unlock()
				if id != "" {
					o = o.set("user_id", id)
				}
				return message(o)
			}),
		},
		relay("client-events-of-anyone", "who is not in a channel may send to it",
			func(l *link, o object) bool {
				return strings.HasPrefix(o.str("event"), "client-") && private(o.str("channel")) && l.noted("in:"+o.str("channel")) == ""
			}, "CEV-04", "CEV-12"),
		relay("client-events-public", "public channels have client events",
			func(_ *link, o object) bool {
				return strings.HasPrefix(o.str("event"), "client-") && !private(o.str("channel"))
			}, "CEV-05"),
		relay("client-events-any-name", "clients may send every event",
			func(_ *link, o object) bool { return !strings.HasPrefix(o.str("event"), "client-") },
			"CEV-06", "security.event.forged"),
		{
			name: "client-events-always", bug: "client events cannot be switched off",
			killedBy: []string{"CEV-07"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].ClientEvents = "members"
				}
			},
		},
		{
			name: "client-events-unlimited", bug: "client events are not limited",
			killedBy: []string{"CEV-08", "CON-16"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].ClientEventRate = 0
				}
			},
		},
		{
			name: "apps-mixed", bug: "an event reaches the channel of that name in every app",
			killedBy: []string{"SUB-25", "security.apps.isolated"},
			ports: publishing(func(b broker.Broker, ctx context.Context, m broker.Message) error {
				for f := range fixtures {
					m.App = credentialsOf(f).ID
					if err := b.Publish(ctx, m); err != nil {
						return fmt.Errorf("publish: %w", err)
					}
				}
				return nil
			}),
		},
	}
}
