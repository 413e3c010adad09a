package wasm

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/tetratelabs/wazero/api"
)

type Host struct {
	KV      KV
	Secret  func(app string) (secret string, ok bool)
	Publish func(ctx context.Context, p Publication) error
	Now     func() time.Time
	Random  io.Reader
	Log     *slog.Logger
}
type KV interface {
	Get(key []byte, dst []byte) ([]byte, bool)
	Set(key, value []byte, ttl time.Duration) error
	Incr(key []byte, delta int64, ttl time.Duration) (int64, error)
	Del(key []byte) bool
}
type Publication struct {
	Plugin, App, Channel, Event, Except string
	Data                                []byte
}
type Grants struct {
	Log, Config, KV, HMAC, Clock, Random bool
	Publish                              []string
}
type instance struct {
	plugin    *Plugin
	mod       api.Module
	event     *hooks.Event
	published []Publication
	side      side
}
type Options struct {
	Name   string
	Apps   []string
	Config []byte
	Host   Host
}
type Plugin struct {
	o       Options
	imports *imports
}

func (p *Plugin) yield(ctx context.Context, m api.Module, stack []uint64) {}
func current(ctx context.Context, m api.Module) *instance {
	x, _ := ctx.Value(zzKey{}).(*instance)
	return x
}

type zzKey struct{}

func zz(ctx context.Context, x *instance) context.Context { return context.WithValue(ctx, zzKey{}, x) }
