package auth

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The parameters by which a request to the HTTP API is signed.
const (
	paramKey       = "auth_key"
	paramVersion   = "auth_version"
	paramTimestamp = "auth_timestamp"
	paramSignature = "auth_signature"
	paramBodyMD5   = "body_md5"
)

const version = "1.0"

// Refusal is why a request is not authorized, in words for its developer. The
// words of most are those of the hosted service. None of them says anything
// that the sender did not send, so none can give a secret away.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// What is wrong with a request that lacks a parameter, or has a wrong one.
const (
	ErrNoKey        Refusal = "Missing parameter: auth_key"
	ErrUnknownKey   Refusal = "Unknown auth_key"
	ErrNoVersion    Refusal = "Version required"
	ErrVersion      Refusal = "Version not supported"
	ErrNoTimestamp  Refusal = "Timestamp required"
	ErrBadTimestamp Refusal = "Timestamp required: auth_timestamp must be the time in whole seconds since 1970"
	ErrNoBodyMD5    Refusal = "Missing parameter: body_md5, which a request with a body must have"
)

// Request is what the signature of an HTTP request covers. The body is covered
// by its body_md5: see [CheckBody].
type Request struct {
	Method string
	Paths  []string // the forms of its path that may have been signed, the likeliest first
	Query  string   // as it was sent, without the question mark
}

// Verify checks the parameters of r in the order of the hosted service: key,
// version, timestamp, signature. The timestamp must be less than window from
// now; a window of 0 is no limit. It returns the query as its signer meant it.
//
// The error is a Refusal, or it wraps ErrQuery.
//
// See https://pusher.com/docs/channels/library_auth_reference/rest-api/#authentication
func (s *Signer) Verify(r Request, key string, now time.Time, window time.Duration) (Query, error) {
	q, err := ParseQuery(r.Query)
	if err != nil {
		return Query{}, err
	}
	if err := q.check(key, now, window); err != nil {
		return Query{}, err
	}
	signature := q.Get(paramSignature)
	if s.signed(r, q, signature) {
		return q, nil
	}
	if strings.Contains(r.Query, "+") {
		if literal, err := parseQuery(r.Query, '+'); err == nil && s.signed(r, literal, signature) {
			return literal, nil
		}
	}
	text := q.appendText(nil, r.Method, r.Paths[0], asSent)
	return Query{}, Refusal(fmt.Sprintf("Invalid signature: you should have sent HmacSHA256Hex(%s, your_secret_key), but you sent %s",
		strconv.Quote(string(text)), strconv.Quote(signature)))
}

// check looks at everything but the signature.
func (q Query) check(key string, now time.Time, window time.Duration) error {
	switch k := q.Get(paramKey); {
	case k == "":
		return ErrNoKey
	case k != key:
		return ErrUnknownKey
	}
	switch q.Get(paramVersion) {
	case version:
	case "":
		return ErrNoVersion
	default:
		return ErrVersion
	}
	if window <= 0 {
		return nil
	}
	return checkTimestamp(q.Get(paramTimestamp), now, window)
}

func checkTimestamp(sent string, now time.Time, window time.Duration) error {
	if sent == "" {
		return ErrNoTimestamp
	}
	seconds, err := strconv.ParseInt(sent, 10, 64)
	if err != nil {
		return ErrBadTimestamp
	}
	// It is compared, not subtracted: the difference to what an attacker may
	// send does not fit into 64 bits.
	within := int64(window / time.Second)
	if seconds > now.Unix()-within && seconds < now.Unix()+within {
		return nil
	}
	return Refusal(fmt.Sprintf("Timestamp expired: Given timestamp (%s) not within %ds of server time (%s)",
		time.Unix(seconds, 0).UTC().Format(time.RFC3339), within, now.UTC().Format(time.RFC3339)))
}

// signed reports whether signature is that of q with one of the paths of r, in
// one of the ways in which libraries write arrays.
func (s *Signer) signed(r Request, q Query, signature string) bool {
	var room [512]byte
	text := room[:0]
	for _, path := range r.Paths {
		text = q.appendText(text[:0], r.Method, path, asSent)
		if s.Equal(text, signature) {
			return true
		}
		if !q.arrays {
			continue
		}
		text = q.appendText(text[:0], r.Method, path, joined)
		if s.Equal(text, signature) {
			return true
		}
	}
	return false
}

// CheckBody reports whether body is what the sender of q signed. Without a body
// there need be no body_md5, but if there is one it must be right: somebody may
// have taken the body away. The error is a Refusal.
func CheckBody(q Query, body []byte) error {
	sent := q.Get(paramBodyMD5)
	switch {
	case sent == "" && len(body) == 0:
		return nil
	case sent == "":
		return ErrNoBodyMD5
	}
	sum := md5.Sum(body) // which protects nothing by itself: it is signed
	if want := hex.EncodeToString(sum[:]); sent != want {
		return Refusal(fmt.Sprintf("Invalid body_md5: expected %s, the MD5 of the %d bytes of the body that arrived, but you sent %s",
			want, len(body), strconv.Quote(sent)))
	}
	return nil
}

// Signer makes and checks signatures with one secret. It is quicker than Sign
// and Equal, which mix the secret in anew each time. Its methods may be called
// concurrently.
type Signer struct {
	macs sync.Pool // of hash.Hash
}

// NewSigner returns a Signer for secret.
func NewSigner(secret string) *Signer {
	key := []byte(secret)
	return &Signer{macs: sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}}
}

// Sign returns the signature of text.
func (s *Signer) Sign(text []byte) string {
	signature := s.sign(text)
	return string(signature[:])
}

// Equal reports whether signature is that of text, as the function Equal does.
func (s *Signer) Equal(text []byte, signature string) bool {
	want := s.sign(text)
	return hmac.Equal([]byte(signature), want[:])
}

func (s *Signer) sign(text []byte) (signature [2 * sha256.Size]byte) {
	mac := s.macs.Get().(hash.Hash)
	mac.Reset()
	mac.Write(text)
	var sum [sha256.Size]byte
	hex.Encode(signature[:], mac.Sum(sum[:0]))
	s.macs.Put(mac)
	return signature
}
