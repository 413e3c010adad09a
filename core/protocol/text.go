package protocol

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// EmptyData is the data of messages that have none to carry: a string that
// holds an empty object. Several clients check for exactly this.
var EmptyData = []byte(`"{}"`)

const hex = "0123456789abcdef"

// AppendString appends s to dst as a JSON string. It escapes only what JSON
// says must be, so that a client reads the very characters that were sent.
// Bytes that are no UTF-8 become U+FFFD.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		b := s[i]
		if b >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		if b >= 0x20 && b != '"' && b != '\\' {
			i++
			continue
		}
		dst = append(dst, s[start:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&0xf])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Text returns raw, a JSON value, the way servers send data: as a JSON string.
// A string stays the bytes that it is; any other value becomes a string that
// holds its bytes. No value at all becomes "null".
func Text(raw []byte) []byte {
	switch {
	case len(raw) == 0:
		return []byte(`"null"`)
	case raw[0] == '"':
		return raw
	}
	return AppendString(make([]byte, 0, len(raw)+len(raw)/8+2), raw)
}

// MustText encodes v and returns it as Text does. It panics on what cannot be
// encoded: it is for values made of strings and numbers.
func MustText(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("protocol: %v", err))
	}
	return AppendString(nil, raw)
}
