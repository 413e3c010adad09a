package wasm

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Call implements hooks.Plugin.
func (p *Plugin) Call(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) error {
	x, err := p.acquire(&v.Hint)
	if err != nil {
		return err
	}
	return p.callWith(ctx, x, h, e, v)
}

// Measure is Call, and returns how much fuel the guest has used: the same for
// the same event, whatever the machine.
func (p *Plugin) Measure(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) (used int64, err error) {
	x, err := p.acquire(&v.Hint)
	if err != nil {
		return 0, err
	}
	before := int64(x.fuel.Get())
	x.spent = 0
	x.finished = func() { used = x.spent + before - int64(x.fuel.Get()) }
	err = p.callWith(ctx, x, h, e, v)
	return used, err
}

// callWith calls an instance, which is released or discarded then.
func (p *Plugin) callWith(ctx context.Context, x *instance, h abi.Hook, e *hooks.Event, v *hooks.Verdict) (err error) {
	c := &x.slot.counters
	if c.sample() {
		start := time.Now()
		err = x.run(h, e, v)
		c.observe(time.Since(start))
	} else {
		err = x.run(h, e, v)
	}
	c.calls[h][outcome(v, err)]++
	if x.finished != nil {
		x.finished()
		x.finished = nil
	}
	if err != nil {
		x.published = x.published[:0]
		p.discard(x)
		return err
	}
	if len(x.published) > 0 {
		x.flush(ctx)
	}
	p.release(x)
	return nil
}

// run asks the guest. After an error the instance must not be used again.
func (x *instance) run(h abi.Hook, e *hooks.Event, v *hooks.Verdict) (err error) {
	defer func() {
		x.event = nil
		if reason := recover(); reason != nil {
			err = fmt.Errorf("call the plugin: %v", reason)
		}
	}()
	x.event = e
	x.began = time.Time{}
	if h != abi.Tick {
		n, err := x.write(e)
		if err != nil {
			return err
		}
		x.stack[0], x.stack[1] = uint64(x.buf), uint64(n)
	}
	if err := x.hooks[h].CallWithStack(x.ctx, x.stack[:]); err != nil {
		return explain(err)
	}
	if !h.Decides() {
		v.Reset(abi.Continue)
		return nil
	}
	if err := x.answer(v); err != nil {
		return err
	}
	return permitted(h, e, v)
}

// frameHead is the size of a request frame without its bytes.
const frameHead = 8 + 8*abi.Fields

// write puts the frame of e into the buffer of the guest.
func (x *instance) write(e *hooks.Event) (size int, err error) {
	size = frameHead + len(e.App) + len(e.Channel) + len(e.SocketID) + len(e.UserID) + len(e.Name) + len(e.Data) + len(e.Auth)
	if e.Flags != 0 {
		size += 8
	}
	if uint64(size) > uint64(x.bufSize) {
		if size > x.plugin.o.Limits.Frame {
			return 0, fmt.Errorf("the event is %d bytes long, of at most %d", size, x.plugin.o.Limits.Frame)
		}
		if err := x.reserve(size); err != nil {
			return 0, err
		}
	}
	b, ok := x.mod.Memory().Read(x.buf, uint32(size))
	if !ok {
		return 0, errBuffer
	}
	head := (*[frameHead]byte)(b)
	binary.LittleEndian.PutUint64(head[:], abi.Version|abi.Fields<<16|uint64(size)<<32)
	off := frameHead
	off += text(head, abi.App, b, off, e.App)
	off += text(head, abi.Channel, b, off, e.Channel)
	off += text(head, abi.SocketID, b, off, e.SocketID)
	off += text(head, abi.UserID, b, off, e.UserID)
	off += text(head, abi.Event, b, off, e.Name)
	off += text(head, abi.Data, b, off, e.Data)
	if e.Data == "" && e.HasData { // empty, not absent
		binary.LittleEndian.PutUint64(head[8+8*abi.Data:], uint64(off))
	}
	off += text(head, abi.Auth, b, off, e.Auth)
	place := uint64(0)
	if e.Flags != 0 {
		place = uint64(off) | 8<<32
		binary.LittleEndian.PutUint64(b[off:], e.Flags)
	}
	binary.LittleEndian.PutUint64(head[8+8*abi.Flags:], place)
	return size, nil
}

// text writes a field, and where it is, and returns its length. An empty one is
// absent.
func text(head *[frameHead]byte, field int, b []byte, off int, s string) int {
	place := uint64(0)
	if s != "" {
		place = uint64(off) | uint64(len(s))<<32
	}
	binary.LittleEndian.PutUint64(head[8+8*field:], place)
	return copy(b[off:], s)
}

// answer reads what the guest has returned.
func (x *instance) answer(v *hooks.Verdict) error {
	at, n := uint32(x.stack[0]>>32), uint32(x.stack[0])
	if at == 0 {
		if n > uint32(abi.Drop) {
			return fmt.Errorf("%w: status %d is none, as after a panic", ErrVerdict, int32(n))
		}
		v.Reset(abi.Status(n))
		return nil
	}
	if uint64(n) > uint64(x.plugin.o.Limits.Output) {
		return fmt.Errorf("%w: %d bytes, of at most %d", ErrVerdict, n, x.plugin.o.Limits.Output)
	}
	b, ok := x.mod.Memory().Read(at, n)
	if !ok {
		return fmt.Errorf("%w: its %d bytes at %#x are not in the memory", ErrVerdict, n, at)
	}
	if err := v.Read(b); err != nil {
		return fmt.Errorf("%w: %w", ErrVerdict, err)
	}
	return nil
}
