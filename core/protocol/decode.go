package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how deep the values of a message may be nested.
const MaxDepth = 64

// maxKeys is how many keys an object that Fields reads may have. No message of
// the protocol comes near it; looking for duplicates among more would be slow.
const maxKeys = 64

var (
	errNotUTF8   = errors.New("not valid UTF-8")
	errNotObject = errors.New("not a JSON object")
	errNotString = errors.New("not a string")
	errTooMany   = fmt.Errorf("more than %d keys", maxKeys)
	errSyntax    = errors.New("not valid JSON")
	errTooDeep   = fmt.Errorf("nested deeper than %d", MaxDepth)
)

// Decode reads a frame that a client sent: a JSON object with an event. The
// data of the message shares memory with frame.
//
// It is strict where two readers could understand one frame differently: a
// key that occurs twice is an error, and keys are matched exactly. It is
// written by hand because every frame of every client passes here; the fuzz
// test holds it to what encoding/json accepts.
func Decode(frame []byte) (Message, error) {
	m, err := decode(frame)
	if err != nil {
		return Message{}, fmt.Errorf("decode message: %w", err)
	}
	return m, nil
}

func decode(frame []byte) (m Message, err error) {
	err = Fields(frame, func(key string, value []byte) (err error) {
		switch key {
		case "event":
			m.Event, err = String(value)
		case "channel":
			if string(value) != "null" {
				m.Channel, err = String(value)
			}
		case "data":
			m.Data = value
		}
		return err
	})
	if err == nil && m.Event == "" {
		err = errors.New("no event")
	}
	return m, err
}

// Fields calls f with each key and value of raw, a JSON object. Both share
// memory with raw. It is an error if raw is anything else, is not UTF-8, is
// nested deeper than MaxDepth, or has the same key twice.
func Fields(raw []byte, f func(key string, value []byte) error) error {
	if !utf8.Valid(raw) {
		return errNotUTF8
	}
	s := scanner{in: raw}
	s.space()
	if !s.take('{') {
		return errNotObject
	}
	var seen [8]string
	keys := seen[:0]
	s.space()
	for first := true; !s.take('}'); first = false {
		if !first {
			if !s.take(',') {
				return errSyntax
			}
			s.space()
		}
		quoted, err := s.string()
		if err != nil {
			return err
		}
		key, err := String(quoted)
		if err != nil {
			return err
		}
		if slices.Contains(keys, key) {
			return fmt.Errorf("%q occurs twice", key)
		}
		if keys = append(keys, key); len(keys) > maxKeys {
			return errTooMany
		}
		s.space()
		if !s.take(':') {
			return errSyntax
		}
		s.space()
		start := s.at
		if err := s.value(1); err != nil {
			return err
		}
		if err := f(key, raw[start:s.at]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		s.space()
	}
	s.space()
	if s.at != len(raw) {
		return errSyntax
	}
	return nil
}

// String is the Go string that raw, a JSON value, stands for.
func String(raw []byte) (string, error) {
	if len(raw) < 2 || raw[0] != '"' {
		return "", errNotString
	}
	return unquote(raw)
}

func unquote(raw []byte) (string, error) {
	for _, b := range raw {
		if b == '\\' {
			var s string
			err := json.Unmarshal(raw, &s)
			return s, err
		}
	}
	return string(raw[1 : len(raw)-1]), nil
}

// scanner steps over JSON values without building them (RFC 8259).
type scanner struct {
	in []byte
	at int
}

func (s *scanner) space() {
	for s.at < len(s.in) {
		switch s.in[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

func (s *scanner) take(b byte) bool {
	if s.at < len(s.in) && s.in[s.at] == b {
		s.at++
		return true
	}
	return false
}

// string steps over a string and returns it with its quotes.
func (s *scanner) string() ([]byte, error) {
	start := s.at
	if !s.take('"') {
		return nil, errSyntax
	}
	for s.at < len(s.in) {
		b := s.in[s.at]
		s.at++
		switch {
		case b == '"':
			return s.in[start:s.at], nil
		case b < 0x20:
			return nil, errSyntax
		case b == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		}
	}
	return nil, errSyntax
}

func (s *scanner) escape() error {
	if s.at == len(s.in) {
		return errSyntax
	}
	b := s.in[s.at]
	s.at++
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			if s.at == len(s.in) || !isHex(s.in[s.at]) {
				return errSyntax
			}
			s.at++
		}
		return nil
	}
	return errSyntax
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'f' || b >= 'A' && b <= 'F'
}

// value steps over any value, which is depth levels down.
func (s *scanner) value(depth int) error {
	if depth > MaxDepth {
		return errTooDeep
	}
	if s.at == len(s.in) {
		return errSyntax
	}
	switch b := s.in[s.at]; {
	case b == '"':
		_, err := s.string()
		return err
	case b == '{':
		return s.list('}', depth, func() error {
			if _, err := s.string(); err != nil {
				return err
			}
			s.space()
			if !s.take(':') {
				return errSyntax
			}
			s.space()
			return s.value(depth + 1)
		})
	case b == '[':
		return s.list(']', depth, func() error { return s.value(depth + 1) })
	case b == 't':
		return s.word("true")
	case b == 'f':
		return s.word("false")
	case b == 'n':
		return s.word("null")
	}
	return s.number()
}

// list steps over what stands between an opening bracket and end.
func (s *scanner) list(end byte, depth int, item func() error) error {
	s.at++
	s.space()
	for first := true; !s.take(end); first = false {
		if !first {
			if !s.take(',') {
				return errSyntax
			}
			s.space()
		}
		if err := item(); err != nil {
			return err
		}
		s.space()
	}
	return nil
}

func (s *scanner) word(w string) error {
	if len(s.in)-s.at < len(w) || string(s.in[s.at:s.at+len(w)]) != w {
		return errSyntax
	}
	s.at += len(w)
	return nil
}

func (s *scanner) number() error {
	s.take('-')
	switch {
	case s.take('0'):
	case s.digits() == 0:
		return errSyntax
	}
	if s.take('.') && s.digits() == 0 {
		return errSyntax
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if s.digits() == 0 {
			return errSyntax
		}
	}
	return nil
}

func (s *scanner) digits() (n int) {
	for s.at < len(s.in) && s.in[s.at] >= '0' && s.in[s.at] <= '9' {
		s.at++
		n++
	}
	return n
}
