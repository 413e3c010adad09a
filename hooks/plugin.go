package hooks

import (
	"context"
	"errors"

	"github.com/revurb/revurb/hooks/abi"
)

// ErrRetired is the error of a call to a plugin that has been replaced. Nothing
// of the plugin has run: the caller asks its successor instead.
var ErrRetired = errors.New("plugin has been replaced")

// Plugin is the operator's own code. Package wasm has the real one.
type Plugin interface {
	Name() string

	// Handles reports whether the plugin has code for h. The answer never
	// changes.
	Handles(h abi.Hook) bool

	// Call asks the plugin, or tells it, of e, and writes its verdict to v. It
	// may be called concurrently, blocks for no longer than the plugin's
	// deadline, and neither keeps e nor changes it. An error is a failure of
	// the plugin, or ErrRetired.
	Call(ctx context.Context, h abi.Hook, e *Event, v *Verdict) error
}

// Verdict is what a plugin decides. It may be used for many calls, one after the
// other; what it has is valid until the next.
type Verdict struct {
	Status abi.Status
	Code   int // 0 is the usual one

	// Fields of the response; nil is absent. They share buf.
	Message  []byte
	Channel  []byte
	Event    []byte
	Data     []byte
	UserID   []byte
	UserInfo []byte

	// Hint is for the plugin to keep from one call to the next: who uses a
	// verdict again is likely to run where it did before.
	Hint int

	buf []byte
}

// Read makes v what a response frame says, of which it keeps a copy. It leaves
// to the caller what of it a hook may have.
func (v *Verdict) Read(response []byte) error {
	v.buf = append(v.buf[:0], response...)
	f, err := abi.Parse(v.buf)
	if err != nil {
		return err
	}
	status, ok := f.Int(abi.ResponseStatus)
	code, ok2 := f.Int(abi.ResponseCode)
	if !ok || !ok2 || status > uint64(abi.Drop) || code > 1<<16 {
		return errResponse
	}
	*v = Verdict{
		Status: abi.Status(status), Code: int(code),
		Message: f.Field(abi.ResponseMessage), Channel: f.Field(abi.ResponseChannel),
		Event: f.Field(abi.ResponseEvent), Data: f.Field(abi.ResponseData),
		UserID: f.Field(abi.ResponseUserID), UserInfo: f.Field(abi.ResponseUserInfo),
		Hint: v.Hint, buf: v.buf,
	}
	return nil
}

// Reset makes v a status without fields.
func (v *Verdict) Reset(s abi.Status) { *v = Verdict{Status: s, Hint: v.Hint, buf: v.buf[:0]} }

var errResponse = errors.New("status or code of the response is out of range")
