package auth_test

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/auth"
)

const (
	key    = "278d425bdf160c739803"
	secret = "7ad3773142a6692b25b8"
)

// The signatures are those of Pusher's documentation.
func TestVerifyDocumentedRequests(t *testing.T) {
	const query = "auth_key=" + key + "&auth_timestamp=1353088179&auth_version=1.0"
	tests := []struct {
		name, method, path, query string
	}{
		{
			"trigger", "POST", "/apps/3/events",
			query + "&body_md5=ec365a775a4cd0599faeb73354201b6f&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
		},
		{
			"channels", "GET", "/apps/3/channels",
			query + "&filter_by_prefix=presence-&info=user_count&auth_signature=16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := auth.Request{Method: tt.method, Paths: []string{tt.path}, Query: tt.query}
			if _, err := auth.NewSigner(secret).Verify(r, key, time.Unix(1353088179, 0), time.Minute); err != nil {
				t.Errorf("Verify = %v, want no error", err)
			}
		})
	}
}

func TestCheckDocumentedBody(t *testing.T) {
	body := []byte(`{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}`)
	q, err := auth.ParseQuery("body_md5=ec365a775a4cd0599faeb73354201b6f")
	if err != nil {
		t.Fatal(err)
	}
	if err := auth.CheckBody(q, body); err != nil {
		t.Errorf("CheckBody = %v, want no error", err)
	}
}

func TestCheckBody(t *testing.T) {
	const emptyMD5 = "d41d8cd98f00b204e9800998ecf8427e"
	sum := md5.Sum([]byte("body"))
	right := hex.EncodeToString(sum[:])
	tests := []struct {
		name, query, body, want string
	}{
		{"no body needs no body_md5", "", "", ""},
		{"no body may have the body_md5 of none", "body_md5=" + emptyMD5, "", ""},
		{"a body has its body_md5", "body_md5=" + right, "body", ""},
		{"a body needs a body_md5", "", "body", "Missing parameter: body_md5, which a request with a body must have"},
		{
			"an altered body is told from the signed one", "body_md5=" + right, "Body",
			"Invalid body_md5: expected ac101b32dda4448cf13a93fe283dddd8, the MD5 of the 4 bytes of the body that arrived, but you sent " + strconv.Quote(right),
		},
		{
			"a body that was taken away is missed", "body_md5=" + right, "",
			"Invalid body_md5: expected " + emptyMD5 + ", the MD5 of the 0 bytes of the body that arrived, but you sent " + strconv.Quote(right),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := auth.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if err := auth.CheckBody(q, []byte(tt.body)); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("CheckBody = %q, want %q", got, tt.want)
			}
		})
	}
}

// Each signed text is written out, as the library that it is of would make it.
func TestVerifyForms(t *testing.T) {
	const a = "auth_key=k&auth_timestamp=1&auth_version=1.0"
	tests := []struct {
		name   string
		query  string // as it is sent, without the signature
		signed string // the parameters that are signed
		param  string // one that is then read
		want   string
	}{
		{"raw commas and semicolons", a + "&filter_by_prefix=a;b,c", a + "&filter_by_prefix=a;b,c", "filter_by_prefix", "a;b,c"},
		{"percent-encoding", a + "&info=a%2Cb%20c%3Bd%26e", a + "&info=a,b c;d&e", "info", "a,b c;d&e"},
		{"an encoded key", a + "&in%66o=x", a + "&info=x", "info", "x"},
		{"a plus that is a space", a + "&name=a+b", a + "&name=a b", "name", "a b"},
		{"a plus that is a plus", a + "&name=a+b", a + "&name=a+b", "name", "a+b"},
		{"a percent sign that encodes nothing", a + "&name=100%&x=%zz", a + "&name=100%&x=%zz", "name", "100%"},
		{"any order", "info=x&auth_version=1.0&auth_timestamp=1&auth_key=k", a + "&info=x", "info", "x"},
		{"upper-case keys", "AUTH_KEY=k&Auth_Timestamp=1&auth_version=1.0&INFO=X", a + "&info=X", "info", "X"},
		{"an array of the gem", a + "&info[]=b&info[]=a", a + "&info[]=b&info[]=a", "info", "b"},
		{"an array of PHP", a + "&info[0]=b&info[1]=a", a + "&info=b,a", "info", "b"},
		{"an encoded array of PHP", a + "&info%5B0%5D=b&info%5B1%5D=a&x=y", a + "&info=b,a&x=y", "x", "y"},
		{"a value with an equals sign", a + "&data=a=b=", a + "&data=a=b=", "data", "a=b="},
		{"a key without a value", a + "&flag", a + "&flag=", "flag", ""},
		{"empty pairs", "&&" + a + "&", a, "auth_key", "k"},
	}
	s := auth.NewSigner("secret")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signature := auth.Sign("secret", "GET\n/p\n"+tt.signed)
			r := auth.Request{Method: "GET", Paths: []string{"/p"}, Query: tt.query + "&auth_signature=" + signature}
			q, err := s.Verify(r, "k", time.Unix(1, 0), time.Minute)
			if err != nil {
				t.Fatalf("Verify = %v, want no error", err)
			}
			if got := q.Get(tt.param); got != tt.want {
				t.Errorf("%s = %q, want %q", tt.param, got, tt.want)
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	now := time.Date(2013, 9, 29, 8, 36, 32, 0, time.UTC)
	const text = "GET\n/p\nauth_key=k&auth_timestamp=1380443792&auth_version=1.0"
	good := auth.Sign("secret", text)
	at := func(n int64) string {
		stamp := strconv.FormatInt(n, 10)
		sig := auth.Sign("secret", "GET\n/p\nauth_key=k&auth_timestamp="+stamp+"&auth_version=1.0")
		return "auth_key=k&auth_timestamp=" + stamp + "&auth_version=1.0&auth_signature=" + sig
	}
	expired := func(given string) string {
		return "Timestamp expired: Given timestamp (" + given + ") not within 600s of server time (2013-09-29T08:36:32Z)"
	}
	invalid := func(sent string) string {
		return `Invalid signature: you should have sent HmacSHA256Hex("GET\n/p\nauth_key=k&auth_timestamp=1380443792&auth_version=1.0", your_secret_key), but you sent "` + sent + `"`
	}
	const base = "auth_key=k&auth_timestamp=1380443792&auth_version=1.0"
	tests := []struct{ name, query, want string }{
		{"nothing is wrong", base + "&auth_signature=" + good, ""},
		{"no parameters", "", "Missing parameter: auth_key"},
		{"another key", "auth_key=K", "Unknown auth_key"},
		{"no version", "auth_key=k", "Version required"},
		{"another version", "auth_key=k&auth_version=2.0", "Version not supported"},
		{"no timestamp", "auth_key=k&auth_version=1.0", "Timestamp required"},
		{
			"a timestamp that is none", "auth_key=k&auth_version=1.0&auth_timestamp=today",
			"Timestamp required: auth_timestamp must be the time in whole seconds since 1970",
		},
		{"599 s early", at(now.Unix() - 599), ""},
		{"599 s late", at(now.Unix() + 599), ""},
		{"600 s early", at(now.Unix() - 600), expired("2013-09-29T08:26:32Z")},
		{"600 s late", at(now.Unix() + 600), expired("2013-09-29T08:46:32Z")},
		{"a timestamp that would overflow a difference", at(math.MinInt64), expired(time.Unix(math.MinInt64, 0).UTC().Format(time.RFC3339))},
		{"no signature", base, invalid("")},
		{"a short signature", base + "&auth_signature=" + good[:63], invalid(good[:63])},
		{"an upper-case signature", base + "&auth_signature=" + strings.ToUpper(good), invalid(strings.ToUpper(good))},
		{"the signature of another secret", base + "&auth_signature=" + auth.Sign("other", text), invalid(auth.Sign("other", text))},
		{
			"a parameter that was not signed", base + "&auth_signature=" + good + "&info=x",
			`Invalid signature: you should have sent HmacSHA256Hex("GET\n/p\n` + base + `&info=x", your_secret_key), but you sent "` + good + `"`,
		},
		{"two keys", base + "&auth_signature=" + good + "&auth_key=other", `ambiguous query: parameter "auth_key" occurs twice`},
		{"the same key twice", base + "&auth_signature=" + good + "&auth_key=k", `ambiguous query: parameter "auth_key" occurs twice`},
		{"two keys, one in upper case", base + "&auth_signature=" + good + "&AUTH_KEY=k", `ambiguous query: parameter "auth_key" occurs twice`},
		{"two keys, one encoded", base + "&auth_signature=" + good + "&auth%5Fkey=k", `ambiguous query: parameter "auth_key" occurs twice`},
		{"two signatures", base + "&auth_signature=x&auth_signature=" + good, `ambiguous query: parameter "auth_signature" occurs twice`},
		{"a key that is an array", "auth_key[]=k", `ambiguous query: parameter "auth_key" must not be an array`},
		{"a body_md5 that is an array", "body_md5[0]=k", `ambiguous query: parameter "body_md5" must not be an array`},
		{"a parameter and an array of one name", base + "&info=a&info[]=b", `ambiguous query: parameter "info" occurs twice`},
		{"an array and a parameter of one name", base + "&info[]=b&info=a", `ambiguous query: parameter "info" occurs twice`},
	}
	s := auth.NewSigner("secret")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if _, err := s.Verify(auth.Request{Method: "GET", Paths: []string{"/p"}, Query: tt.query}, "k", now, 600*time.Second); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Verify = %q,\nwant     %q", got, tt.want)
			}
			if strings.Contains(got, "secret") && !strings.Contains(got, "your_secret_key") {
				t.Errorf("the text has the secret in it: %q", got)
			}
		})
	}
}

func TestVerifyWithoutWindow(t *testing.T) {
	const params = "auth_key=k&auth_timestamp=1&auth_version=1.0"
	r := auth.Request{Method: "GET", Paths: []string{"/p"}, Query: params + "&auth_signature=" + auth.Sign("secret", "GET\n/p\n"+params)}
	if _, err := auth.NewSigner("secret").Verify(r, "k", time.Now(), 0); err != nil {
		t.Errorf("Verify = %v, want that a window of 0 lets any time pass", err)
	}
}

func TestVerifyTakesAnyPath(t *testing.T) {
	const params = "auth_key=k&auth_version=1.0"
	for _, path := range []string{"/a", "/b"} {
		r := auth.Request{Method: "GET", Paths: []string{"/a", "/b"}, Query: params + "&auth_signature=" + auth.Sign("secret", "GET\n"+path+"\n"+params)}
		if _, err := auth.NewSigner("secret").Verify(r, "k", time.Now(), 0); err != nil {
			t.Errorf("Verify of %s = %v, want no error", path, err)
		}
	}
}

func TestSigner(t *testing.T) {
	s := auth.NewSigner(secret)
	for range 2 { // the second with what the first left behind
		if got, want := s.Sign([]byte("text")), auth.Sign(secret, "text"); got != want {
			t.Errorf("Sign = %s, want %s", got, want)
		}
	}
}

func TestQueryNames(t *testing.T) {
	q, err := auth.ParseQuery("info[]=a&auth_key=k&info[]=b&body_md5=x&foo=1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for name := range q.Names() {
		got = append(got, name)
	}
	if strings.Join(got, " ") != "foo info" {
		t.Errorf("Names = %q, want foo and info", got)
	}
	if got := q.All("info"); strings.Join(got, " ") != "a b" {
		t.Errorf("All(info) = %q, want a and b", got)
	}
	if got := q.All("fop"); got != nil {
		t.Errorf("All of what is not there = %q, want none", got)
	}
}

// A query that its owner signed is accepted, whatever is in it; and not once its
// signature is that of something else.
func FuzzVerify(f *testing.F) {
	for _, q := range []string{"info=a,b", "a;b=%2C", "x[]=1&x[]=2", "x%5B0%5D=1", "+=+", "%", "=&=", "AUTH_KEY=k", "\xff=\xfe"} {
		f.Add(q)
	}
	s := auth.NewSigner("secret")
	f.Fuzz(func(t *testing.T, extra string) {
		raw := "auth_key=k&auth_version=1.0&" + extra
		q, err := auth.ParseQuery(raw)
		if err != nil {
			if !errors.Is(err, auth.ErrQuery) {
				t.Fatalf("ParseQuery(%q) = %v, which is no ErrQuery", raw, err)
			}
			return
		}
		if q.Get("auth_key") != "k" {
			t.Fatalf("ParseQuery(%q) reads auth_key %q, want k", raw, q.Get("auth_key"))
		}
		if strings.Contains(strings.ToLower(extra), "sign") {
			return
		}
		_, err = s.Verify(auth.Request{Method: "GET", Paths: []string{"/p"}, Query: raw}, "k", time.Now(), 0)
		var refusal auth.Refusal
		if !errors.As(err, &refusal) {
			t.Fatalf("Verify of an unsigned query = %v, want a refusal", err)
		}
		quoted, ok := strings.CutPrefix(string(refusal), "Invalid signature: you should have sent HmacSHA256Hex(")
		if !ok {
			return // it has another version
		}
		quoted, _, _ = strings.Cut(quoted, `, your_secret_key), but you sent ""`)
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("the text to sign, %s, is not quoted: %v", quoted, err)
		}
		raw += "&auth_signature=" + auth.Sign("secret", text)
		if _, err := s.Verify(auth.Request{Method: "GET", Paths: []string{"/p"}, Query: raw}, "k", time.Now(), 0); err != nil {
			t.Fatalf("Verify of %q, signed as it was told = %v", raw, err)
		}
		if _, err := s.Verify(auth.Request{Method: "POST", Paths: []string{"/p"}, Query: raw}, "k", time.Now(), 0); err == nil {
			t.Fatalf("Verify of %q = nil for another method", raw)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	const params = "auth_key=k&auth_timestamp=1&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f"
	r := auth.Request{Method: "POST", Paths: []string{"/apps/1/events"}}
	r.Query = params + "&auth_signature=" + auth.Sign("secret", "POST\n/apps/1/events\n"+params)
	s, now := auth.NewSigner("secret"), time.Unix(1, 0)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Verify(r, "k", now, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
