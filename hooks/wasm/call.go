package wasm

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/revurb/revurb/hooks"
	"github.com/revurb/revurb/hooks/abi"
)

// Call implements hooks.Plugin.
func (p *Plugin) Call(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) error {
	_, err := p.call(ctx, h, e, v)
	return err
}

// Measure is Call, and returns how much fuel the guest has used: the same for
// the same event, whatever the machine.
func (p *Plugin) Measure(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) (used int64, err error) {
	return p.call(ctx, h, e, v)
}

func (p *Plugin) call(ctx context.Context, h abi.Hook, e *hooks.Event, v *hooks.Verdict) (used int64, err error) {
	x, err := p.acquire()
	if err != nil {
		if errors.Is(err, ErrBusy) {
			p.slots[0].busy.Add(1) // by whoever: nobody holds an instance
		}
		return 0, err
	}
	c := &x.slot.counters
	before, spent := int64(x.fuel.Get()), x.spent
	var start time.Time
	if sampled := c.sample(); sampled {
		start = time.Now()
	}
	err = x.run(h, e, v)
	if !start.IsZero() {
		c.observe(time.Since(start))
	}
	c.count(h, outcome(v, err))
	if err != nil {
		x.published = x.published[:0]
		p.discard(x)
		return 0, err
	}
	used = x.spent - spent + before - int64(x.fuel.Get())
	if len(x.published) > 0 {
		x.flush(ctx)
	}
	p.release(x)
	return used, nil
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

// write puts the frame of e into the buffer of the guest.
func (x *instance) write(e *hooks.Event) (size int, err error) {
	const head = 8 + 8*int(abi.Fields)
	size = head + len(e.App) + len(e.Channel) + len(e.SocketID) + len(e.UserID) + len(e.Name) + len(e.Data) + len(e.Auth)
	if e.Flags != 0 {
		size += 8
	}
	if size > x.plugin.o.Limits.Frame {
		return 0, fmt.Errorf("the event is %d bytes long, of at most %d", size, x.plugin.o.Limits.Frame)
	}
	if err := x.reserve(size); err != nil {
		return 0, err
	}
	b, ok := x.mod.Memory().Read(x.buf, uint32(size))
	if !ok {
		return 0, errBuffer
	}
	binary.LittleEndian.PutUint16(b, abi.Version)
	binary.LittleEndian.PutUint16(b[2:], uint16(abi.Fields))
	binary.LittleEndian.PutUint32(b[4:], uint32(size))
	w := writer{b: b, off: head}
	w.text(abi.App, e.App, e.App != "")
	w.text(abi.Channel, e.Channel, e.Channel != "")
	w.text(abi.SocketID, e.SocketID, e.SocketID != "")
	w.text(abi.UserID, e.UserID, e.UserID != "")
	w.text(abi.Event, e.Name, e.Name != "")
	w.text(abi.Data, e.Data, e.HasData)
	w.text(abi.Auth, e.Auth, e.Auth != "")
	w.place(abi.Flags, 8, e.Flags != 0)
	if e.Flags != 0 {
		binary.LittleEndian.PutUint64(b[w.off:], e.Flags)
	}
	return size, nil
}

// writer writes the fields of a frame.
type writer struct {
	b   []byte
	off int
}

// place says where a field is; its bytes come to w.off.
func (w *writer) place(field, size int, there bool) {
	at := w.b[8+8*field:]
	if !there {
		binary.LittleEndian.PutUint64(at, 0)
		return
	}
	binary.LittleEndian.PutUint32(at, uint32(w.off))
	binary.LittleEndian.PutUint32(at[4:], uint32(size))
}

func (w *writer) text(field int, s string, there bool) {
	w.place(field, len(s), there)
	w.off += copy(w.b[w.off:], s)
}

// answer reads what the guest has returned.
func (x *instance) answer(v *hooks.Verdict) error {
	at, n := uint32(x.stack[0]>>32), uint32(x.stack[0])
	if at == 0 {
		if n > uint32(abi.Drop) {
			return fmt.Errorf("%w: status %d", ErrVerdict, n)
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
