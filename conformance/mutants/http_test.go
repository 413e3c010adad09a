package mutants

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// bodies is a mutant's http in which the body of a request arrives otherwise,
// signed for what it is.
func bodies(endpoint string, change func(body object) object) func(*exchange) answer {
	return func(x *exchange) answer {
		if o := parse([]byte(x.body)); x.is(http.MethodPost, endpoint) && o != nil {
			if c := change(o); c.String() != o.String() {
				x.body = c.String()
				return x.signedIfItWas().send()
			}
		}
		return x.send()
	}
}

// signedIfItWas signs the request anew if it carries a signature at all.
func (x *exchange) signedIfItWas() *exchange {
	if strings.Contains(x.query, "auth_signature=") {
		x.resign(nil)
	}
	return x
}

// answers is a mutant's http in which the answers to a request with status 200
// arrive otherwise.
func answers(method string, path *regexp.Regexp, change func(x *exchange, body object) string) func(*exchange) answer {
	return func(x *exchange) answer {
		a := x.send()
		if o := parse([]byte(a.body)); x.method == method && path.MatchString(x.path) && a.status == http.StatusOK && o != nil {
			a.body = change(x, o)
		}
		return a
	}
}

// accepts is a mutant's http that publishes what the server refuses with one of
// the statuses, after it has been put right.
func accepts(right func(x *exchange, a answer) bool) func(*exchange) answer {
	return func(x *exchange) answer {
		a := x.send()
		if a.status >= 400 && right(x, a) {
			return x.resign(nil).send()
		}
		return a
	}
}

// refused has requests refused for which it holds.
func refused(holds func(x *exchange) bool, status int) func(*exchange) answer {
	return func(x *exchange) answer {
		if holds(x) {
			return answer{status, http.Header{"Content-Type": {"text/plain"}}, "refused\n"}
		}
		return x.send()
	}
}

var (
	channelsPath = regexp.MustCompile(`/channels$`)
	channelPath  = regexp.MustCompile(`/channels/[^/]+$`)
	usersPath    = regexp.MustCompile(`/channels/[^/]+/users$`)
	stringID     = regexp.MustCompile(`"id":"(\d+)"`)
)

// list is the value of a key, as a list.
func (o object) list(key string) (values []json.RawMessage) {
	_ = json.Unmarshal(o[key], &values) // anything else has none
	return values
}

func encode(v any) string {
	b, _ := json.Marshal(v) // it was JSON before
	return string(b)
}

func httpMutants() []mutant {
	return slices.Concat(httpAuthMutants(), publishMutants(), queryMutants(), securityMutants())
}

// unusual are the heads of requests that no server may take.
var unusual = regexp.MustCompile(`(?i)\x00|X : a|evil\.example\r\n|^EHLO|^PRI `)
