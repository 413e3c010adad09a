package listen_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/revurb/revurb/core/config"
	"github.com/revurb/revurb/core/listen"
)

// echo serves on a listener of its own, behind Strict, and answers each request
// with its path and its body.
func echo(t *testing.T) net.Addr {
	t.Helper()
	ln := open(t, config.Server{Host: "127.0.0.1"})
	s := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TransferEncoding != nil {
				w.Header().Set("Connection", "close")
			}
			b, _ := io.ReadAll(r.Body)
			_, _ = fmt.Fprintf(w, "%s %q", r.URL.Path, b)
		}),
	}
	go func() { _ = s.Serve(listen.Strict(ln, nil)) }()
	t.Cleanup(func() { _ = s.Close() })
	return ln.Addr()
}

// exchange sends text, in pieces of size bytes, and returns the answers to it:
// each as its status and its body.
func exchange(t *testing.T, addr net.Addr, text string, size int) (answers []string) {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	for rest := text; rest != ""; {
		n := min(size, len(rest))
		if _, err := io.WriteString(c, rest[:n]); err != nil {
			break // the server has closed; what it has said is still there
		}
		rest = rest[n:]
	}
	_ = c.(*net.TCPConn).CloseWrite()
	r := bufio.NewReader(c)
	for {
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			return answers
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		answers = append(answers, fmt.Sprintf("%d %s", res.StatusCode, b))
	}
}

const (
	get  = "GET /get HTTP/1.1\r\nHost: x\r\n\r\n"
	post = "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
	bad  = "400 400 Bad Request"
)

func TestStrict(t *testing.T) {
	addr := echo(t)
	long := strings.Repeat("x", 3000)
	for _, test := range []struct {
		name string
		text string
		want []string
	}{
		{"a request passes", get, []string{`200 /get ""`}},
		{"a body passes", post, []string{`200 /post "hello"`}},
		{"a body that looks like headers passes", strings.Replace(post, "5\r\n\r\nhello", "7\r\n\r\n\n\n\r\n\r\n ", 1), []string{`200 /post "\n\n\r\n\r\n "`}},
		{"requests in a row pass", get + post + post + get, []string{`200 /get ""`, `200 /post "hello"`, `200 /post "hello"`, `200 /get ""`}},
		{"an empty line before a request passes", post + "\r\n" + get, []string{`200 /post "hello"`, `200 /get ""`}},
		{"a long line passes", "GET /get?" + long + " HTTP/1.1\r\nHost: x\r\nX: " + long + "\r\n\r\n" + get, []string{`200 /get ""`, `200 /get ""`}},
		{"chunks pass", "POST /post HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", []string{`200 /post "hello"`}},
		{"a length and chunks do not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get, []string{bad}},
		{"chunks and a length do not", "POST /post HTTP/1.1\r\nHost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n" + get, []string{bad}},
		{"chunks in HTTP/1.0 do not", "POST /post HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get, []string{bad}},
		{"two lengths do not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", []string{bad}},
		{"a list of lengths does not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello", []string{bad}},
		{"a length with a sign does not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello", []string{bad}},
		{"an empty length does not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: \r\n\r\n" + get, []string{bad}},
		{"a space before the colon does not", "POST /post HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello", []string{"400 400 Bad Request: invalid header name"}},
		{"bare line feeds do not", strings.ReplaceAll(get, "\r\n", "\n"), []string{bad}},
		{"one bare line feed does not", strings.Replace(get, "\r\nHost", "\nHost", 1), []string{bad}},
		{"a continued line does not", "GET /get HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n", []string{bad}},
		{"a zero byte does not", "GET /get HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n", []string{bad}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, size := range []int{len(test.text), 1, 7} {
				if got := exchange(t, addr, test.text, size); fmt.Sprint(got) != fmt.Sprint(test.want) {
					t.Errorf("in pieces of %d bytes: got %q, want %q", size, got, test.want)
				}
			}
		})
	}
}

// Of requests in a row, what is before a bad one is served, and nothing behind
// it.
func TestStrictServesWhatIsBeforeABadRequest(t *testing.T) {
	addr := echo(t)
	text := post + strings.ReplaceAll(get, "\r\n", "\n") + get
	for _, size := range []int{len(text), 1, 7} {
		got := exchange(t, addr, text, size)
		if len(got) == 0 || got[0] != `200 /post "hello"` {
			t.Errorf("in pieces of %d bytes: got %q, want the first request served", size, got)
		}
		for _, answer := range got[min(1, len(got)):] {
			if answer != bad {
				t.Errorf("in pieces of %d bytes: got %q, want nothing more served", size, got)
			}
		}
	}
}

// However the bytes of requests arrive, they are the same requests.
func FuzzStrictPieces(f *testing.F) {
	f.Add([]byte(get+post), 3)
	f.Add([]byte(post+"\r\n"+post), 16)
	f.Add([]byte("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), 5)
	f.Add([]byte("GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x00\n"), 2)
	f.Fuzz(func(t *testing.T, b []byte, size int) {
		size = max(size, 1)
		whole, wholeErr := listen.Strictly(b, len(b)+1)
		pieces, piecesErr := listen.Strictly(b, size)
		if (wholeErr == nil) != (piecesErr == nil) {
			t.Fatalf("got %v at once and %v in pieces of %d", wholeErr, piecesErr, size)
		}
		// In pieces, the beginning of a bad request has passed before it was bad.
		if pieces < whole || wholeErr == nil && pieces != whole {
			t.Errorf("got %d bytes at once and %d in pieces of %d", whole, pieces, size)
		}
	})
}
