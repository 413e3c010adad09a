package mutants

import (
	"net/http"
	"strings"
)

func queryMutants() []mutant {
	return []mutant{
		{
			name: "channels-array", bug: "no channels are an empty array, as PHP has it",
			killedBy: []string{"HQ-01"},
			http: answers(http.MethodGet, channelsPath, func(_ *exchange, o object) string {
				return strings.ReplaceAll(o.String(), `"channels":{}`, `"channels":[]`)
			}),
		},
		{
			name: "channels-names", bug: "channels are a list of names",
			killedBy: []string{"HQ-02", "HQ-01"},
			also:     []string{"HQ-03"},
			http: answers(http.MethodGet, channelsPath, func(_ *exchange, o object) string {
				names := []string{}
				for name := range parse(o["channels"]) {
					names = append(names, name)
				}
				return o.set("channels", encode(names)).String()
			}),
		},
		{
			name: "channels-prefix-ignored", bug: "filter_by_prefix is ignored",
			killedBy: []string{"HQ-03"},
			also:     []string{"HQ-02", "HQ-04"},
			http: func(x *exchange) answer {
				q := x.params()
				if x.method != http.MethodGet || !channelsPath.MatchString(x.path) || !q.Has("filter_by_prefix") || !x.rightlySigned(credentialsOf(mainApp)) {
					return x.send()
				}
				q.Del("filter_by_prefix")
				q.Del("info")
				return x.resign(q).send()
			},
		},
		{
			name: "users-are-connections", bug: "user_count counts connections",
			killedBy: []string{"HQ-07", "HQ-03"},
			http: func(x *exchange) answer {
				a := x.send()
				if strings.Contains(a.body, `"user_count":2`) {
					a.body = strings.ReplaceAll(a.body, `"user_count":2`, `"user_count":3`)
				}
				return a
			},
		},
		{
			name: "channel-404", bug: "a channel that nobody is in is not found",
			killedBy: []string{"HQ-06"},
			http: func(x *exchange) answer {
				a := x.send()
				if x.method == http.MethodGet && channelPath.MatchString(x.path) && strings.Contains(a.body, `"occupied":false`) {
					a.status = http.StatusNotFound
				}
				return a
			},
		},
		{
			name: "channel-stays-occupied", bug: "a channel that was occupied once always is",
			killedBy: []string{"HQ-06"},
			http: func(x *exchange) answer {
				a := x.send()
				if channelPath.MatchString(x.path) && strings.Contains(a.body, `"occupied":false`) {
					x.mu.Lock()
					defer x.mu.Unlock()
					if x.memo["was:"+x.path[strings.LastIndex(x.path, "/")+1:]] != "" {
						a.body = strings.ReplaceAll(a.body, "false", "true")
					}
				}
				return a
			},
			up: subscribing(func(l *link, d object) object { l.share("was:"+d.str("channel"), "yes"); return d }),
		},
		{
			name: "channel-strings", bug: "counts are strings",
			killedBy: []string{"HQ-07"},
			http: answers(http.MethodGet, channelPath, func(_ *exchange, o object) string {
				for _, key := range []string{"user_count", "subscription_count"} {
					if o[key] != nil {
						o = o.setString(key, string(o[key]))
					}
				}
				return o.String()
			}),
		},
		{
			name: "users-numbers", bug: "the ID of a user is a number if it can be",
			killedBy: []string{"HQ-09"},
			http: answers(http.MethodGet, usersPath, func(_ *exchange, o object) string {
				return stringID.ReplaceAllString(o.String(), `"id":$1`)
			}),
		},
		{
			name: "users-empty-404", bug: "a presence channel that nobody is in has no users, not even none",
			killedBy: []string{"HQ-10"},
			http: func(x *exchange) answer {
				a := x.send()
				if usersPath.MatchString(x.path) && strings.Contains(a.body, `"users":[]`) {
					a.status = http.StatusNotFound
				}
				return a
			},
		},
		{
			name: "users-of-any-channel", bug: "every channel has users",
			killedBy: []string{"HQ-11"},
			also:     []string{"HQ-12"},
			http: func(x *exchange) answer {
				a := x.send()
				if x.method == http.MethodGet && usersPath.MatchString(x.path) && a.status == http.StatusBadRequest {
					return answer{200, http.Header{"Content-Type": {"application/json"}}, `{"users":[]}`}
				}
				return a
			},
		},
		{
			name: "channel-path-encoded", bug: "a channel in a path is not decoded",
			killedBy: []string{"HQ-13"},
			http: func(x *exchange) answer {
				if channelPath.MatchString(x.path) && strings.Contains(x.path, "%") {
					return answer{200, http.Header{"Content-Type": {"application/json"}}, `{"occupied":false}`}
				}
				return x.send()
			},
		},
		{
			name: "not-found-200", bug: "what is no endpoint is answered with 200",
			killedBy: []string{"HQ-14"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status == http.StatusNotFound {
					a.status = http.StatusOK
				}
				return a
			},
		},
	}
}
