package wasm

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"runtime"
	"time"

	"github.com/revurb/revurb/hooks/fuel"
)

// Options are what a plugin is loaded with.
type Options struct {
	Name        string   // for logs and errors
	Apps        []string // the IDs of its apps; "*" is all
	Config      []byte   // a JSON object, or nil
	HostVersion string
	Grants      Grants
	Limits      Limits
	Host        Host

	// CacheDir keeps compiled guests, so that they load faster the next time. It
	// has machine code in it: whoever can write there can run code in the server.
	// "" keeps none.
	CacheDir string
}

// Limits bound what a plugin may take. One that is 0 is that of DefaultLimits.
type Limits struct {
	Binary int           // bytes of the guest
	Memory int           // bytes of an instance's memory, in pages of 64 KiB
	Table  int           // elements of a table
	Output int           // bytes of a response
	Frame  int           // bytes of a request
	Pool   int           // instances
	Call   time.Duration // for a call, and to wait for an instance
	Start  time.Duration // for an instance to start
}

// DefaultLimits are enough for a guest of any language.
func DefaultLimits() Limits {
	return Limits{
		Binary: 10 << 20,
		Memory: 16 << 20,
		Table:  fuel.DefaultMaxTable,
		Output: 1 << 20,
		Frame:  4 << 20,
		Pool:   runtime.GOMAXPROCS(0),
		Call:   20 * time.Millisecond,
		Start:  time.Second,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	return Limits{
		Binary: cmp.Or(l.Binary, d.Binary), Memory: cmp.Or(l.Memory, d.Memory), Table: cmp.Or(l.Table, d.Table),
		Output: cmp.Or(l.Output, d.Output), Frame: cmp.Or(l.Frame, d.Frame), Pool: max(1, cmp.Or(l.Pool, d.Pool)),
		Call: cmp.Or(l.Call, d.Call), Start: cmp.Or(l.Start, d.Start),
	}
}

// Grants are what a plugin is allowed beyond having an opinion.
type Grants struct {
	Log, Config, KV, HMAC, Clock, Random bool

	Publish []string // patterns of channels that it may publish to
}

// Host is what plugins reach of the server. A function that is missing is denied
// to them.
type Host struct {
	KV      KV
	Secret  func(app string) (secret string, ok bool)
	Publish func(ctx context.Context, p Publication) error // once the hook has returned
	Now     func() time.Time                               // nil is time.Now
	Random  io.Reader                                      // nil is that of package crypto/rand
	Log     *slog.Logger                                   // nil logs nothing
}

// KV is what the instances of a plugin share. Its methods are called
// concurrently.
type KV interface {
	// Get appends the value of key to dst.
	Get(key, dst []byte) (value []byte, ok bool)
	Set(key, value []byte, ttl time.Duration) error
	Incr(key []byte, delta int64, ttl time.Duration) (sum int64, err error)
	Del(key []byte) (ok bool)
}

// Publication is an event that a plugin publishes.
type Publication struct {
	Plugin, App, Channel, Event string
	Data                        []byte
	Except                      string // the socket ID of who does not get it, or ""
}
