//go:build !wasip1

package plugin

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"strconv"
)

// Fake is the server, for tests of a plugin's handlers. Values are kept for ever.
type Fake struct {
	Settings  map[string]string // what Config returns
	Context   map[int]string
	KV        map[string]string
	Secret    string // the app's
	Now       int64
	Logs      []string
	Published []Publication
}

// Publication is what Publish was called with.
type Publication struct{ Channel, Event, Data string }

var fake = new(Fake)

// Use has the functions of the package talk to f.
func Use(f *Fake) { fake = f }

// Fields are those of an Event made by NewEvent. "" is absent, but for Data, for
// which HasData decides.
type Fields struct {
	App, Channel, SocketID, UserID, Event, Data, Auth string
	HasData                                           bool
	FromAPI, InBatch, IsCache, Unsigned, Came         bool
}

// NewEvent returns an event for a test.
func NewEvent(f Fields) *Event {
	opt := func(s string) []byte {
		if s == "" {
			return nil
		}
		return []byte(s)
	}
	data := opt(f.Data)
	if f.HasData {
		data = []byte(f.Data)
	}
	flags := make([]byte, 8)
	for i, set := range [...]bool{f.FromAPI, f.InBatch, f.IsCache, f.Unsigned, f.Came} {
		if set {
			flags[0] |= 1 << i
		}
	}
	return &Event{frameOf(nil, opt(f.App), opt(f.Channel), opt(f.SocketID), opt(f.UserID), opt(f.Event), data, opt(f.Auth), flags)}
}

// Decided is what a Verdict says. A field that is nil is absent.
type Decided struct {
	Status                        string
	Code                          uint32
	Message                       string
	Event, Data, UserID, UserInfo []byte
}

// Decided returns what v says, for tests.
func (v Verdict) Decided() Decided {
	d := Decided{Status: [...]string{"continue", "allow", "deny", "replace", "drop"}[v.status]}
	if v.r != nil {
		f := Event{v.frame(nil)}
		d.Code, d.Message = v.r.code, string(f.field(responseMessage))
		d.Event, d.Data, d.UserID, d.UserInfo = f.field(responseEvent), f.field(responseData), f.field(responseUserID), f.field(responseUserInfo)
	}
	return d
}

func newResponse() *response { return new(response) }

func give(s string, ok bool, buf []byte) int32 {
	if !ok {
		return -1
	}
	if len(s) <= len(buf) {
		copy(buf, s)
	}
	return int32(len(s))
}

func hostLog(_ int32, s string) { fake.Logs = append(fake.Logs, s) }

func hostLogEnabled(int32) int32 { return 1 }

func hostConfigGet(key string, buf []byte) int32 {
	s, ok := fake.Settings[key]
	return give(s, ok, buf)
}

func hostCtxGet(field int32, buf []byte) int32 {
	s, ok := fake.Context[int(field)]
	return give(s, ok, buf)
}

func hostKVGet(key, buf []byte) int32 {
	s, ok := fake.KV[string(key)]
	return give(s, ok, buf)
}

func hostKVSet(key, val []byte, _ int64) int32 {
	if fake.KV == nil {
		fake.KV = make(map[string]string)
	}
	fake.KV[string(key)] = string(val)
	return 0
}

func hostKVIncr(key []byte, delta, ttl int64) (int64, bool) {
	n, err := strconv.ParseInt(fake.KV[string(key)], 10, 64)
	if err != nil && fake.KV[string(key)] != "" {
		return 0, false
	}
	hostKVSet(key, strconv.AppendInt(nil, n+delta, 10), ttl)
	return n + delta, true
}

func hostKVDel(key []byte) { delete(fake.KV, string(key)) }

func hostHMAC(ref int32, key, msg []byte, sum *[32]byte) int32 {
	if ref == 1 {
		key = []byte(fake.Secret)
	}
	m := hmac.New(sha256.New, key)
	m.Write(msg)
	m.Sum(sum[:0])
	return 0
}

func hostNow() int64 { return fake.Now }

func hostRandom(b []byte) int32 {
	rand.Read(b)
	return 0
}

func hostPublish(frame []byte) int32 {
	e := Event{frame}
	fake.Published = append(fake.Published, Publication{e.ChannelString(), e.EventString(), e.DataString()})
	return 0
}

// Configure does what the server does when it loads the plugin, for tests.
func Configure(config []byte) error {
	if onConfigure == nil {
		return nil
	}
	return onConfigure(config)
}
