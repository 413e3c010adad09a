package mutants

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
	"github.com/revurb/revurb/core/config"
)

func reason(texts ...string) func(string) bool {
	return func(body string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(body, t) })
	}
}

func httpAuthMutants() []mutant {
	main, second := credentialsOf(mainApp), credentialsOf(conformance.Second)
	return []mutant{
		{
			name: "http-auth-off", bug: "requests are answered whoever sends them",
			killedBy: []string{"HA-03", "HA-04", "HA-05", "HA-06", "HA-08", "HA-10", "HA-16", "HA-17", "security.http.signatures", "security.http.pollution"},
			also:     []string{"HA-07", "HA-09"},
			http:     func(x *exchange) answer { return x.resign(nil).send() },
		},
		{
			name: "http-signature-unchecked", bug: "a request needs a signature, but not the right one",
			killedBy: []string{"HA-03", "HA-16", "security.http.signatures"},
			also:     []string{"HA-04", "security.http.pollution"},
			http:     func(x *exchange) answer { return x.retry(reason("Invalid signature")) },
		},
		{
			name: "http-unsigned", bug: "a request without auth parameters is answered",
			killedBy: []string{"HA-17"},
			http: func(x *exchange) answer {
				if x.query == "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-key-optional", bug: "a request needs no auth_key",
			killedBy: []string{"HA-04"},
			http: func(x *exchange) answer {
				if !strings.Contains(strings.ToLower(x.query), "auth_key=") && x.query != "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-any-key", bug: "the key of a request is not looked at, only its signature",
			killedBy: []string{"HA-05"},
			http: func(x *exchange) answer {
				key := x.params().Get("auth_key")
				a := x.send()
				if a.status == http.StatusUnauthorized && key != "" && key != main.Key && key != second.Key && x.rightlySigned(main) {
					return x.resign(nil).send()
				}
				return a
			},
		},
		{
			name: "http-other-app", bug: "key and secret of any app are good for every app",
			killedBy: []string{"HA-06"},
			http: func(x *exchange) answer {
				if x.params().Get("auth_key") == second.Key && x.rightlySigned(second) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-time-unchecked", bug: "a request may be of any time",
			killedBy: []string{"HA-07"},
			also:     []string{"HA-08"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].TimestampWindow = 0
				}
			},
		},
		{
			name: "http-time-narrow", bug: "a request may be a minute old",
			killedBy: []string{"HA-07"},
			config: func(c *config.Config) {
				for i := range c.Apps {
					c.Apps[i].TimestampWindow = time.Minute
				}
			},
		},
		{
			name: "http-time-any-form", bug: "a time that is none is now",
			killedBy: []string{"HA-08"},
			http: func(x *exchange) answer {
				if t := x.params().Get("auth_timestamp"); !regexp.MustCompile(`^\d{10}$`).MatchString(t) && x.query != "" {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-version-unchecked", bug: "auth_version is not looked at",
			killedBy: []string{"HA-09"},
			http: func(x *exchange) answer {
				if v := x.params().Get("auth_version"); v != "1.0" && x.rightlySigned(main) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-body-unsigned", bug: "body_md5 is not looked at",
			killedBy: []string{"HA-10"},
			http: func(x *exchange) answer {
				if x.method == http.MethodPost && x.body != "" && x.rightlySigned(main) {
					x.resign(nil)
				}
				return x.send()
			},
		},
		{
			name: "http-md5-of-nothing", bug: "a GET must not have a body_md5",
			killedBy: []string{"HA-11"},
			http: refused(func(x *exchange) bool {
				return x.method == http.MethodGet && x.params().Has("body_md5")
			}, http.StatusUnauthorized),
		},
		{
			name: "http-query-encoded", bug: "a query is signed as it is sent, and not as it is meant",
			killedBy: []string{"HA-12"},
			http: func(x *exchange) answer {
				if strings.Contains(x.query, "%") {
					x.query = strings.ReplaceAll(x.query, "%", "%25")
				}
				return x.send()
			},
		},
		{
			name: "http-query-cut", bug: "a query is cut at a semicolon",
			killedBy: []string{"HA-13"},
			http: func(x *exchange) answer {
				x.query = strings.ReplaceAll(x.query, ";", "&")
				return x.send()
			},
		},
		{
			name: "http-case-matters", bug: "the names of parameters have a case",
			killedBy: []string{"HA-14"},
			http: func(x *exchange) answer {
				if strings.Contains(x.query, "AUTH_KEY=") {
					x.query = strings.ReplaceAll(x.query, "AUTH_KEY=", "X_KEY=")
				}
				return x.send()
			},
		},
		{
			name: "http-all-refused", bug: "the server signs otherwise than the documentation says", total: true,
			killedBy: []string{"HA-01", "HA-11", "HA-12", "HA-13", "HA-14", "HE-01"},
			http: func(x *exchange) answer {
				x.query = strings.Replace(x.query, "auth_version=1.0", "auth_version=1.0.0", 1)
				return x.send()
			},
		},
		{
			name: "http-error-json", bug: "errors are JSON",
			killedBy: []string{"HA-19"},
			http: func(x *exchange) answer {
				a := x.send()
				if a.status >= 400 {
					a.header.Set("Content-Type", "application/json")
				}
				return a
			},
		},
	}
}

// rightlySigned reports whether the signature of x is that of c for what its
// query says.
func (x *exchange) rightlySigned(c conformance.Credentials) bool {
	var list []client.Param
	signature := ""
	for name, values := range x.params() {
		if name == "auth_signature" {
			signature = values[0]
			continue
		}
		list = append(list, client.Param{Name: name, Value: values[0]})
	}
	return signature == client.Sign(c.Secret, client.StringToSign(x.method, x.path, list))
}
