package wasm

import (
	"errors"
	"time"

	"github.com/revurb/revurb/hooks/kv"
)

// kvGet is kv_get(key, keylen, buf, cap).
func (c call) kvGet(stack []uint64) {
	if c.host.KV == nil {
		stack[0] = denied
		return
	}
	// By way of the instance's own memory: the store is not kept waiting for
	// pages of the guest, and a value that is too large costs no allocation.
	value, ok := c.host.KV.Get(c.bytes(stack[0], stack[1]), c.x.side.value[:0])
	c.x.side.value = value
	if !ok {
		stack[0] = notFound
		return
	}
	stack[0] = c.fill(stack[2], stack[3], value)
}

// kvSet is kv_set(key, keylen, val, vallen, ttl).
func (c call) kvSet(stack []uint64) {
	if c.host.KV == nil {
		stack[0] = denied
		return
	}
	value := c.bytes(stack[2], stack[3])
	c.spend(min(len(value), kv.MaxValue))
	stack[0] = kvResult(c.host.KV.Set(c.bytes(stack[0], stack[1]), value, ttl(stack[4])))
}

// kvIncr is kv_incr(key, keylen, delta, ttl, out).
func (c call) kvIncr(stack []uint64) {
	if c.host.KV == nil {
		stack[0] = denied
		return
	}
	c.bytes(stack[4], 8) // or nothing is added
	n, err := c.host.KV.Incr(c.bytes(stack[0], stack[1]), int64(stack[2]), ttl(stack[3]))
	if err == nil {
		c.putUint64(stack[4], uint64(n))
	}
	stack[0] = kvResult(err)
}

// kvDel is kv_del(key, keylen).
func (c call) kvDel(stack []uint64) {
	switch {
	case c.host.KV == nil:
		stack[0] = denied
	case c.host.KV.Del(c.bytes(stack[0], stack[1])):
		stack[0] = 0
	default:
		stack[0] = notFound
	}
}

// ttl returns milliseconds as a duration. What is too much for one stays too
// much for the store.
func ttl(ms uint64) time.Duration {
	if int64(ms) > int64(kv.MaxTTL/time.Millisecond) {
		return kv.MaxTTL + 1
	}
	return time.Duration(max(int64(ms), 0)) * time.Millisecond
}

func kvResult(err error) uint64 {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, kv.ErrQuota):
		return quota
	case errors.Is(err, kv.ErrTooLarge):
		return tooLarge
	default:
		return badArgument
	}
}
