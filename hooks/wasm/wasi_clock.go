package wasm

import (
	"encoding/binary"
	"time"
)

// Where the clock stands for a guest that is not granted it, and how far each
// look at it brings it: runtimes wait for it to move.
const (
	frozenAt = 1_600_000_000 * time.Second // since 1970
	tick     = time.Millisecond
)

const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// clockTimeGet is clock_time_get(id, precision, out).
func (c call) clockTimeGet(stack []uint64) {
	id := uint32(stack[0])
	if id > clockMonotonic {
		stack[0] = wasiInvalid
		return
	}
	c.putUint64(stack[2], uint64(c.clock(id)))
	stack[0] = 0
}

func (c call) clock(id uint32) time.Duration {
	side := &c.x.side
	switch {
	case !c.grants.Clock:
		side.ticks += tick
		return frozenAt + side.ticks
	case id == clockRealtime:
		return time.Duration(c.host.Now().UnixNano())
	default:
		return c.host.Now().Sub(c.begin) + side.ticks + tick // 0 is no time for some
	}
}

// clockResGet is clock_res_get(id, out).
func (c call) clockResGet(stack []uint64) {
	c.putUint64(stack[1], uint64(tick))
	stack[0] = 0
}

// pollOneoff is poll_oneoff(in, out, n, events). Whatever the guest waits for has
// come: a plugin that sleeps would hold up its caller, so that its clock is put
// forward instead.
func (c call) pollOneoff(stack []uint64) {
	const subscription, event, most = 48, 32, 64
	n := uint64(uint32(stack[2]))
	if n == 0 || n > most {
		stack[0] = wasiInvalid
		return
	}
	in, out := c.bytes(stack[0], n*subscription), c.bytes(stack[1], n*event)
	var sleep time.Duration
	for i := range n {
		sub := in[i*subscription:]
		user, kind := binary.LittleEndian.Uint64(sub), sub[8]
		if kind == 0 {
			sleep = max(sleep, c.timeout(sub))
		}
		e := out[i*event : (i+1)*event]
		clear(e)
		binary.LittleEndian.PutUint64(e, user)
		e[10] = kind
	}
	c.x.side.ticks += sleep
	c.putUint32(stack[3], uint32(n))
	stack[0] = 0
}

// timeout is how long a subscription of a clock waits, an hour at most.
func (c call) timeout(sub []byte) time.Duration {
	timeout := time.Duration(binary.LittleEndian.Uint64(sub[24:]))
	if absolute := sub[40]&1 != 0; absolute {
		timeout -= c.clock(binary.LittleEndian.Uint32(sub[16:]))
	}
	return min(timeout, time.Hour)
}
