package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/revurb/revurb/conformance/client"
)

// Request is a request to the HTTP API. What is left out is what an official
// library would send.
type Request struct {
	App    Credentials    // the zero value is the app of the target
	Method string         // "" is GET, or POST if there is a body
	Path   string         // as "/events": after /apps/{id}
	Root   bool           // Path is the whole of it, and not after /apps/{id}
	Query  []client.Param // as it is signed
	Body   string
	Header http.Header
	Node   int // of a cluster, by the URL of its WebSockets; 0 is where the HTTP API is said to be
	Client *http.Client

	// Sign, if not nil, replaces the signing: it returns the query as it is
	// sent.
	Sign func(s Signing) string

	// Encode, if not nil, writes the signed query; nil percent-encodes it.
	Encode func([]client.Param) string
}

// Signing is what there is to sign.
type Signing struct {
	App    Credentials
	Method string
	Path   string // as it is signed: without the prefix of the target
	Query  []client.Param
	Body   []byte
}

// Signed is the query that an official library would send.
func (s Signing) Signed(now time.Time) []client.Param {
	return client.SignQuery(s.App.Key, s.App.Secret, s.Method, s.Path, s.Query, s.Body, now)
}

// Response is the answer to a request.
type Response struct {
	Status int
	Header http.Header
	Body   string
}

// Encode writes a query with percent-encoding, as PHP does.
func Encode(params []client.Param) string { return encodeWith(params, url.QueryEscape) }

// EncodeRaw writes a query as it is, as Node.js, Go and Python do.
func EncodeRaw(params []client.Param) string {
	return encodeWith(params, func(s string) string { return s })
}

func encodeWith(params []client.Param, escape func(string) string) string {
	pairs := make([]string, len(params))
	for i, p := range params {
		pairs[i] = escape(p.Name) + "=" + strings.ReplaceAll(escape(p.Value), "+", "%20")
	}
	return strings.Join(pairs, "&")
}

// Do sends r and returns the answer, whatever its status.
func (t *T) Do(r Request) Response {
	req, text := t.request(r)
	t.record("request", "", text)
	c := r.Client
	if c == nil {
		c = http.DefaultClient
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.Target.Timeout)
	defer cancel()
	res, err := c.Do(req.WithContext(ctx))
	if err != nil {
		t.Mismatch("request "+text, "an answer", err.Error())
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Mismatch("request "+text, "a body", err.Error())
	}
	t.record("response", "", fmt.Sprintf("%d %s", res.StatusCode, body))
	return Response{res.StatusCode, res.Header, string(body)}
}

func (t *T) request(r Request) (req *http.Request, text string) {
	if r.App == (Credentials{}) {
		r.App = t.Target.App
	}
	if r.Method == "" {
		r.Method = map[bool]string{true: http.MethodGet, false: http.MethodPost}[r.Body == ""]
	}
	s := Signing{App: r.App, Method: r.Method, Path: r.Path, Query: r.Query, Body: []byte(r.Body)}
	if !r.Root {
		s.Path = "/apps/" + r.App.ID + r.Path
	}
	encode := r.Encode
	if encode == nil {
		encode = Encode
	}
	query := ""
	if r.Sign != nil {
		query = r.Sign(s)
	} else {
		query = encode(s.Signed(time.Now()))
	}
	req, err := http.NewRequest(r.Method, t.Target.api(r.Node)+s.Path, bytes.NewReader(s.Body))
	if err != nil {
		t.Errorf("make request: %v", err)
	}
	req.URL.RawQuery = query
	if r.Body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, values := range r.Header {
		req.Header[name] = values
	}
	return req, r.Method + " " + s.Path + " " + r.Body
}

// OK ends the case if the status is not 200.
func (t *T) OK(r Response) Response {
	if r.Status != http.StatusOK {
		t.Mismatch("status", "200", fmt.Sprintf("%d %s", r.Status, r.Body))
	}
	return r
}

// ExpectStatus sends r, and expects one of statuses.
func (t *T) ExpectStatus(r Request, statuses ...int) Response {
	res := t.Do(r)
	for _, s := range statuses {
		if res.Status == s {
			return res
		}
	}
	t.Mismatch("status", fmt.Sprint(statuses), fmt.Sprintf("%d %s", res.Status, res.Body))
	return res
}

// Get sends a GET and returns the JSON object of an answer of 200.
func (t *T) Get(path string, query ...client.Param) map[string]any {
	return t.Object(t.OK(t.Do(Request{Path: path, Query: query})))
}

// Object is the body of a response, which must be a JSON object.
func (t *T) Object(r Response) map[string]any {
	var v map[string]any
	if err := json.Unmarshal([]byte(r.Body), &v); err != nil || v == nil {
		t.Mismatch("body", "a JSON object", r.Body)
	}
	return v
}

// Publishing is an event to publish, as the body of POST /events has it.
type Publishing struct {
	Name     string   `json:"name"`
	Channel  string   `json:"channel,omitempty"`
	Channels []string `json:"channels,omitempty"`
	Data     string   `json:"data"`
	SocketID string   `json:"socket_id,omitempty"`
	Info     string   `json:"info,omitempty"`
}

// Publish publishes an event, which must be answered with 200.
func (t *T) Publish(p Publishing) Response {
	return t.OK(t.Do(Request{Path: "/events", Body: t.JSON(p)}))
}

// PublishAs is Publish for another app.
func (t *T) PublishAs(app Credentials, p Publishing) Response {
	return t.OK(t.Do(Request{App: app, Path: "/events", Body: t.JSON(p)}))
}

// JSON encodes v, without escapes that JSON does not ask for.
func (t *T) JSON(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Errorf("encode: %v", err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// FenceChannel publishes an event to a channel that c is subscribed to, and
// returns what comes before it: what was published before is among it.
func (t *T) FenceChannel(c *Conn, channel string) (before []Message) {
	name := t.Name("fence-")
	c.fence = name
	t.PublishAs(c.app, Publishing{Name: name, Channel: channel, Data: "{}"})
	for {
		m := c.NextText("the event " + name + ", which was published last")
		if m.Event == name {
			return before
		}
		before = append(before, m)
	}
}

// ExpectNothingOn fences a channel, and expects nothing before that.
func (t *T) ExpectNothingOn(c *Conn, channel, why string) {
	if before := t.FenceChannel(c, channel); len(before) > 0 {
		t.Mismatch(why, "nothing", before[0].String())
	}
}
