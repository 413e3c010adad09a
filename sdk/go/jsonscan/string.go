package jsonscan

import "unicode/utf8"

// Decode returns what a JSON string, with its quotation marks, says.
func Decode(quoted []byte) ([]byte, bool) {
	s := quoted[1 : len(quoted)-1]
	at := 0
	for at < len(s) && s[at] != '\\' {
		at++
	}
	if at == len(s) {
		return s, true
	}
	b := append(make([]byte, 0, len(s)), s[:at]...)
	for at < len(s) {
		if s[at] != '\\' {
			b = append(b, s[at])
			at++
			continue
		}
		r, n := escape(s[at:])
		if n == 0 {
			return nil, false
		}
		b = utf8.AppendRune(b, r)
		at += n
	}
	return b, true
}

// escape returns what the escape at the start of s says, and its length, or 0.
func escape(s []byte) (rune, int) {
	if len(s) < 2 {
		return 0, 0
	}
	switch s[1] {
	case '"', '\\', '/':
		return rune(s[1]), 2
	case 'n':
		return '\n', 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	}
	r, ok := unit(s)
	if !ok {
		return 0, 0
	}
	if r >= 0xd800 && r < 0xdc00 {
		if low, ok := unit(s[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			return 0x10000 + (r-0xd800)<<10 + (low - 0xdc00), 12
		}
	}
	return r, 6 // half a pair is appended as U+FFFD
}

// unit reads \uXXXX.
func unit(s []byte) (r rune, ok bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// same reports whether a JSON string says key.
func same(quoted []byte, key string) bool {
	if len(quoted) < len(key)+2 {
		return false
	}
	s := quoted[1 : len(quoted)-1]
	for i := range s {
		if s[i] == '\\' {
			d, ok := Decode(quoted)
			return ok && equal(d, key)
		}
	}
	return equal(s, key)
}

func equal(b []byte, s string) bool {
	if len(b) != len(s) {
		return false
	}
	for i := range b {
		if b[i] != s[i] {
			return false
		}
	}
	return true
}

// AppendString appends s as a JSON string.
func AppendString[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
