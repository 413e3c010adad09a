package hooks

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/revurb/revurb/hooks/abi"
)

// verdicts are those that no call uses.
var verdicts = sync.Pool{New: func() any { return new(Verdict) }}

// Ask asks the plugins that have h, in their order, of e, whose fields they may
// replace. The status is Continue when none has an opinion, Allow when one has
// allowed it, and Drop. The error is a *Denied. For abi.Authorize there is
// Authorize.
func (hs *Hooks) Ask(ctx context.Context, h abi.Hook, e *Event) (abi.Status, error) {
	if !hs.Has(h) {
		return abi.Continue, nil
	}
	return hs.ask(ctx, hs.set.Load(), h, e, func(*Member) bool { return true })
}

// Authorize asks the plugins of a subscription to a private or presence channel.
// signed checks the signature of the app's backend: a plugin that replaces it is
// asked first, and only if none of those allows the subscription, signed and then
// the other plugins must. The error is a *Denied, or what signed has returned.
//
// e.Flags has abi.Unsigned afterwards if the plugin has replaced the signature;
// then its UserID and UserInfo are those of the plugin.
func (hs *Hooks) Authorize(ctx context.Context, e *Event, signed func() error) error {
	if !hs.Has(abi.Authorize) {
		return signed()
	}
	set := hs.set.Load() // one for both rounds, so that nobody is left out
	userID, userInfo := e.UserID, e.UserInfo
	e.Flags |= abi.Unsigned
	status, err := hs.ask(ctx, set, abi.Authorize, e, func(m *Member) bool { return m.Replace })
	if err != nil || status == abi.Allow {
		return err
	}
	e.Flags &^= abi.Unsigned
	e.UserID, e.UserInfo = userID, userInfo
	if err := signed(); err != nil {
		return err
	}
	_, err = hs.ask(ctx, set, abi.Authorize, e, func(m *Member) bool { return !m.Replace })
	return err
}

// ask asks those of the plugins in set that which chooses.
func (hs *Hooks) ask(ctx context.Context, set *Set, h abi.Hook, e *Event, which func(*Member) bool) (abi.Status, error) {
	v := verdicts.Get().(*Verdict)
	defer verdicts.Put(v)
	for _, m := range set.chains[h] {
		if !which(m) || !m.concerns(h, e) {
			continue
		}
		status, err := hs.askOne(ctx, m, h, e, v)
		if err != nil || status == abi.Allow || status == abi.Drop {
			return status, err
		}
	}
	return abi.Continue, nil
}

func (hs *Hooks) askOne(ctx context.Context, m *Member, h abi.Hook, e *Event, v *Verdict) (abi.Status, error) {
	err := m.call(ctx, h, e, v)
	for errors.Is(err, ErrRetired) { // ask its successor, if there is one
		next := hs.set.Load().named(m.Plugin.Name())
		if next == nil || next == m || !next.has(h) || !next.concerns(h, e) {
			return abi.Continue, nil
		}
		if h == abi.Authorize && next.Replace != m.Replace {
			// Its yes would mean something else than what the caller makes
			// of it, and to leave it out would be a yes of ours.
			return next.deny(h)
		}
		m = next
		err = m.call(ctx, h, e, v)
	}
	if err != nil {
		return m.failed(h)
	}
	if v.Status != abi.Continue && m.log.Enabled(ctx, slog.LevelDebug) {
		m.log.Debug("plugin has decided", "hook", h, "verdict", v.Status, "app", e.App, "channel", e.Channel, "socket", e.SocketID)
	}
	switch v.Status {
	case abi.Deny:
		return abi.Deny, &Denied{Plugin: m.Plugin.Name(), Code: v.Code, Message: orDefault(string(v.Message), h)}
	case abi.Allow, abi.Replace:
		apply(e, v)
	}
	return v.Status, nil
}

// apply replaces those fields of e that v has.
func apply(e *Event, v *Verdict) {
	if v.Event != nil {
		e.Name = string(v.Event)
	}
	if v.Data != nil {
		e.Data, e.HasData = string(v.Data), true
	}
	if v.UserID != nil {
		e.UserID = string(v.UserID)
	}
	if v.UserInfo != nil {
		e.UserInfo = string(v.UserInfo)
	}
}

// denials are what is said where a plugin does not say why it denies.
var denials = [abi.OnMessage + 1]string{
	abi.OnConnect:   "Connection refused",
	abi.Authorize:   "Subscription is not authorized",
	abi.OnSignin:    "Sign-in is not authorized",
	abi.OnSubscribe: "Subscription refused",
	abi.OnMessage:   "Message refused",
}

func orDefault(message string, h abi.Hook) string {
	if message == "" {
		return denials[h]
	}
	return message
}

// errOpen is the error of a call that is not made.
var errOpen = errors.New("the plugin has failed too often, and is not called for a while")

// call calls the plugin, unless it has failed too often.
func (m *Member) call(ctx context.Context, h abi.Hook, e *Event, v *Verdict) error {
	probe, ok := m.breaker.allow()
	if !ok {
		m.skipped.Add(1)
		return errOpen
	}
	err := m.Plugin.Call(ctx, h, e, v)
	if errors.Is(err, ErrRetired) {
		m.breaker.withdraw(probe)
		return err
	}
	if pause, opened := m.breaker.done(probe, err != nil); opened {
		m.log.Error("plugin keeps failing, and is not called for a while", "hook", h, "pause", pause, "err", err)
	} else if err != nil {
		m.report(h, err)
	}
	return err
}

// report logs that the plugin has failed: a line a second at most.
func (m *Member) report(h abi.Hook, err error) {
	if !m.lines.Allow() {
		m.unlogged.Add(1)
		return
	}
	m.log.Warn("plugin has failed", "hook", h, "err", err, "unlogged", m.unlogged.Swap(0))
}

// failed is what a failure means to who has asked.
func (m *Member) failed(h abi.Hook) (abi.Status, error) {
	switch m.OnError[h] {
	case FailAllow:
		return abi.Allow, nil
	case FailSkip:
		return abi.Continue, nil
	}
	return m.deny(h)
}

// deny is a no because the plugin could not be asked.
func (m *Member) deny(h abi.Hook) (abi.Status, error) {
	return abi.Deny, &Denied{
		Plugin: m.Plugin.Name(), Failed: true,
		Message: denials[h] + ": the server could not check it, try again later",
	}
}
