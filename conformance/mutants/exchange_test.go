package mutants

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/conformance/client"
)

// exchange is a request on its way through, and how to get its answer.
type exchange struct {
	*proxy
	method string
	path   string
	query  string // as it was sent
	header http.Header
	body   string
}

// answer is what the server said, on its way back.
type answer struct {
	status int
	header http.Header
	body   string
}

func (p *proxy) serveHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	x := &exchange{p, r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header, string(body)}
	a := p.m.http(x)
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length") // the body may be another
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the client may have gone
}

// transport keeps no connections: a server that stops waits for none.
var transport = &http.Transport{DisableKeepAlives: true, DisableCompression: true}

// send has the server answer the request as it is now.
func (x *exchange) send() answer {
	r, err := http.NewRequest(x.method, "http://"+x.backend+x.path, bytes.NewReader([]byte(x.body)))
	if err != nil {
		return answer{http.StatusBadGateway, nil, err.Error()}
	}
	r.URL.RawQuery = x.query
	r.Header = x.header.Clone()
	for _, hop := range []string{"Connection", "Content-Length"} {
		r.Header.Del(hop)
	}
	res, err := transport.RoundTrip(r)
	if err != nil {
		return answer{http.StatusBadGateway, nil, err.Error()}
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return answer{http.StatusBadGateway, nil, err.Error()}
	}
	h := res.Header.Clone()
	h.Del("Connection")
	return answer{res.StatusCode, h, string(body)}
}

// is reports whether x is a request for an endpoint of an app, as "/events".
func (x *exchange) is(method, endpoint string) bool {
	return x.method == method && strings.HasSuffix(x.path, endpoint)
}

// credentials are those of the app that the path names.
func (x *exchange) credentials() (c conformance.Credentials, ok bool) {
	parts := strings.Split(x.path, "/")
	if len(parts) < 3 || parts[1] != "apps" {
		return c, false
	}
	c, ok = byID()[parts[2]]
	return c, ok
}

// params are the parameters of the query.
func (x *exchange) params() url.Values {
	v, _ := url.ParseQuery(x.query) // as far as it can be read
	return v
}

// resign signs the request anew, as if whoever sent it had the right to. What
// params has besides the signature is kept; a nil params is the query as it is.
func (x *exchange) resign(params url.Values) *exchange {
	c, ok := x.credentials()
	if !ok {
		return x
	}
	if params == nil {
		params = x.params()
	}
	var list []client.Param
	for _, name := range slices.Sorted(maps.Keys(params)) { // their order is a part of what arrays mean
		values := params[name]
		if !strings.HasPrefix(strings.ToLower(name), "auth_") && name != "body_md5" {
			list = append(list, client.Param{Name: name, Value: values[0]})
		}
	}
	x.query = conformance.Encode(client.SignQuery(c.Key, c.Secret, x.method, x.path, list, []byte(x.body), time.Now()))
	return x
}

// retry has the request answered as if it were signed rightly, if the server
// refuses its signature for a reason that holds.
func (x *exchange) retry(holds func(reason string) bool) answer {
	a := x.send()
	if a.status == http.StatusUnauthorized && holds(a.body) {
		return x.resign(nil).send()
	}
	return a
}
