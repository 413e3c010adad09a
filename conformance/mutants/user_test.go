package mutants

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/app"
	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/user"
)

// signing is a hook for what clients send when they sign in. It is given the
// message and its data.
func signing(change func(l *link, data object) object) hook {
	return messages("pusher:signin", func(l *link, o object) []frame {
		return message(o.set("data", change(l, o.data()).String()))
	})
}

// vouched is data with the signature of the app, for the connection.
func (l *link) vouched(data object) object {
	c := credentialsOf(mainApp)
	return data.setString("auth", client.UserAuth(c.Key, c.Secret, l.id(), data.str("user_data")))
}

// userOf is the ID that user_data has, if it is one.
func userOf(data object) string { return parse([]byte(data.str("user_data"))).str("id") }

// presences are users who are told to have come or gone otherwise.
type presences struct {
	user.Users
	first, last bool // whether each connection is
}

func (p presences) SignIn(ctx context.Context, u user.User, socketID string) (bool, error) {
	first, err := p.Users.SignIn(ctx, u, socketID)
	return first || p.first, err
}

func (p presences) SignOut(ctx context.Context, u user.User, socketID string) (bool, error) {
	last, err := p.Users.SignOut(ctx, u, socketID)
	return last || p.last, err
}

// setting changes one of the apps.
func setting(f conformance.Fixture, change func(*app.App)) func(*config.Config) {
	return func(c *config.Config) {
		for i := range c.Apps {
			if c.Apps[i].ID == credentialsOf(f).ID {
				change(&c.Apps[i])
			}
		}
	}
}

func own(l *link, name string) bool { return name == channel.UserPrefix+l.noted("user") }

// noting remembers who signs in on a link, before up is asked.
func noting(up hook) hook {
	note := signing(func(l *link, d object) object {
		l.note("user", userOf(d))
		return d
	})
	return func(l *link, f frame) []frame {
		note(l, f)
		return up(l, f)
	}
}

func userMutants() []mutant {
	return []mutant{
		{
			name: "signin-unanswered", bug: "a sign-in has no answer", total: true,
			killedBy: []string{"USER-01", "USER-04"},
			down:     lost("pusher:signin_success"),
		},
		{
			name: "signin-any-signature", bug: "any signature signs a user in",
			killedBy: []string{"USER-02"},
			also:     []string{"USER-03", "USER-05"},
			up:       signing((*link).vouched),
		},
		{
			name: "signin-any-id", bug: "user_data without an id that is a string signs somebody in",
			killedBy: []string{"USER-03"},
			also:     []string{"USER-05"},
			up: signing(func(l *link, d object) object {
				if userOf(d) == "" {
					return l.vouched(d.setString("user_data", `{"id":"somebody"}`))
				}
				return d
			}),
		},
		{
			name: "signin-reencoded", bug: "user_data is decoded and encoded again",
			killedBy: []string{"USER-04"},
			also:     []string{"USER-01"},
			down: messages("pusher:signin_success", func(_ *link, o object) []frame {
				var v any
				d := o.data()
				if json.Unmarshal([]byte(d.str("user_data")), &v) != nil {
					return message(o)
				}
				return message(o.setString("data", d.setString("user_data", encode(v)).String()))
			}),
		},
		{
			name: "user-no-channel", bug: "nobody may listen to what is sent to them", total: true,
			killedBy: []string{"USER-06", "USER-08"},
			up: subscribing(func(_ *link, d object) object {
				if strings.HasPrefix(d.str("channel"), channel.UserPrefix) {
					return d.setString("channel", "#")
				}
				return d
			}),
		},
		{
			name: "user-open-channel", bug: "everybody may listen to what is sent to a user",
			killedBy: []string{"USER-07", "SUB-26", "security.channel.of-another-user"},
			up: noting(messages("pusher:subscribe", func(l *link, o object) []frame {
				name := o.data().str("channel")
				if strings.HasPrefix(name, channel.UserPrefix) && !own(l, name) {
					l.toClient(`{"event":"pusher_internal:subscription_succeeded","channel":` + quote(name) + `,"data":"{}"}`)
					return nil
				}
				return message(o)
			})),
		},
		{
			name: "user-other-channel", bug: "what is sent to a user comes on another channel",
			killedBy: []string{"USER-08"},
			down: events(func(_ *link, o object) []frame {
				if strings.HasPrefix(o.str("channel"), channel.UserPrefix) {
					return message(o.setString("channel", "user"))
				}
				return message(o)
			}),
		},
		{
			name: "terminate-nobody", bug: "terminating a user is answered, and not done",
			killedBy: []string{"USER-10", "USER-11", "USER-12", "USER-13"},
			http: func(x *exchange) answer {
				if strings.HasSuffix(x.path, "/terminate_connections") {
					return answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, "{}"}
				}
				return x.send()
			},
		},
		{
			name: "terminate-4301", bug: "a terminated connection is closed with a code that is none",
			killedBy: []string{"USER-11"},
			also:     []string{"USER-10", "USER-12", "USER-13"},
			config:   setting(mainApp, func(*app.App) {}),
			down: func(_ *link, f frame) []frame {
				if f.closeCode() == 4009 {
					f = f.withCode(4301)
				}
				return pass(f)
			},
		},
		{
			name: "watch-each-connection", bug: "watchers are told of each connection that comes",
			killedBy: []string{"WATCH-03"},
			ports:    func(p *hub.Ports) { p.Users = presences{Users: new(user.Memory), first: true} },
		},
		{
			name: "watch-with-channel", bug: "watchlist events have a channel",
			killedBy: []string{"WATCH-07"},
			also:     []string{"WATCH-*"},
			down:     always("pusher_internal:watchlist_events", "channel", `"#watchlist"`),
		},
		{
			name: "watch-nobody", bug: "watchers are told nothing",
			killedBy: []string{"WATCH-01", "WATCH-02"},
			also:     []string{"WATCH-*"},
			down:     lost("pusher_internal:watchlist_events"),
		},
		{
			name: "watch-unasked", bug: "watchlists are kept where they were not asked for",
			killedBy: []string{"WATCH-06"},
			config:   setting(conformance.NoWatchlist, func(a *app.App) { a.Watchlist = true }),
		},
		{
			name: "watch-too-many", bug: "a watchlist that is too long is cut without a word",
			killedBy: []string{"WATCH-05"},
			down: messages("pusher:error", func(_ *link, o object) []frame {
				if string(o.data()["code"]) == "4302" {
					return nil
				}
				return message(o)
			}),
		},
		{
			name: "count-off", bug: "subscribers are told no counts",
			killedBy: []string{"COUNT-01", "COUNT-02"},
			also:     []string{"COUNT-*"},
			config:   setting(conformance.Counting, func(a *app.App) { a.SubscriptionCount = false }),
		},
		{
			name: "count-unasked", bug: "subscribers are told counts where that was not asked for",
			killedBy: []string{"COUNT-04"},
			config:   setting(mainApp, func(a *app.App) { a.SubscriptionCount = true }),
			total:    true, // in every channel there is a message that nobody expects
		},
		{
			name: "count-wrong", bug: "the count is one too high",
			killedBy: []string{"COUNT-01", "COUNT-02"},
			also:     []string{"COUNT-*"},
			down: messages("pusher_internal:subscription_count", func(_ *link, o object) []frame {
				d := o.data()
				n, _ := strconv.Atoi(string(d["subscription_count"]))
				return message(o.setString("data", d.set("subscription_count", strconv.Itoa(n+1)).String()))
			}),
		},
		{
			name: "unauthorized-stay", bug: "connections stay that do not authorize themselves",
			killedBy: []string{"CON-23"},
			config:   setting(conformance.AuthorizedOnly, func(a *app.App) { a.AuthorizedConnectionsOnly = false }),
		},
		{
			name: "presence-data-needed", bug: "who has signed in needs channel_data all the same",
			killedBy: []string{"PRES-16"},
			up: subscribing(func(_ *link, d object) object {
				if strings.HasPrefix(d.str("channel"), "presence-") && d["channel_data"] == nil {
					return d.setString("auth", "")
				}
				return d
			}),
		},
		{
			name: "presence-data-ignored", bug: "who has signed in is that user, whatever channel_data says",
			killedBy: []string{"PRES-18"},
			up: noting(subscribing(func(l *link, d object) object {
				if l.noted("user") != "" && d["channel_data"] != nil {
					return l.signed(d.set("channel_data", ""))
				}
				return d
			})),
		},
	}
}
