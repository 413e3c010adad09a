package auth

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// ErrQuery is the error of a query that two readers could understand
// differently. It is wrapped in a message that says why.
var ErrQuery = errors.New("ambiguous query")

// Query is the parameters of a request, sorted by name.
type Query struct {
	params []param
	arrays bool // one of the parameters is an array
}

// param is one parameter, decoded.
type param struct {
	name  string // in lower case
	index string // "[]" or "[0]" of an element of an array, else ""
	value string
}

// ParseQuery reads a raw query. A plus sign is a space.
//
// It is not net/url that reads it: that drops every parameter with a semicolon,
// which names of channels may have and most libraries send as it is. What looks
// like a percent-encoding and is none stands for itself.
//
// It is an error, which wraps ErrQuery, if a parameter occurs twice, unless it
// is written as an array; those that authenticate a request must not be.
func ParseQuery(raw string) (Query, error) { return parseQuery(raw, ' ') }

func parseQuery(raw string, plus byte) (q Query, err error) {
	if raw == "" {
		return q, nil
	}
	q.params = make([]param, 0, strings.Count(raw, "&")+1)
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		p := param{name: lower(decode(key, plus)), value: decode(value, plus)}
		if i := strings.IndexByte(p.name, '['); i > 0 && p.name[len(p.name)-1] == ']' {
			p.name, p.index = p.name[:i], p.name[i:]
			q.arrays = true
		}
		q.params = append(q.params, p)
	}
	slices.SortStableFunc(q.params, func(a, b param) int { return cmp.Compare(a.name, b.name) })
	return q, q.unambiguous()
}

// unambiguous refuses a name that occurs more than once, unless as an array.
func (q Query) unambiguous() error {
	for i, p := range q.params {
		if p.index != "" && (strings.HasPrefix(p.name, "auth_") || p.name == paramBodyMD5) {
			return fmt.Errorf("%w: parameter %q must not be an array", ErrQuery, p.name)
		}
		if i == 0 || q.params[i-1].name != p.name {
			continue
		}
		if p.index == "" || q.params[i-1].index == "" {
			return fmt.Errorf("%w: parameter %q occurs twice", ErrQuery, p.name)
		}
	}
	return nil
}

// Get returns the value of the parameter called name, or "".
func (q Query) Get(name string) string {
	if i, ok := q.find(name); ok {
		return q.params[i].value
	}
	return ""
}

// Has reports whether there is a parameter called name.
func (q Query) Has(name string) bool {
	_, ok := q.find(name)
	return ok
}

// All returns the values of the array called name, in the order in which they
// were sent; of a parameter that is no array, its value.
func (q Query) All(name string) (values []string) {
	i, _ := q.find(name)
	for ; i < len(q.params) && q.params[i].name == name; i++ {
		values = append(values, q.params[i].value)
	}
	return values
}

// Names yields the name of every parameter but those that authenticate the
// request, each once.
func (q Query) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		last := ""
		for _, p := range q.params {
			if p.name == last || p.name == paramBodyMD5 || strings.HasPrefix(p.name, "auth_") {
				continue
			}
			if last = p.name; !yield(p.name) {
				return
			}
		}
	}
}

func (q Query) find(name string) (int, bool) {
	return slices.BinarySearchFunc(q.params, name, func(p param, name string) int { return cmp.Compare(p.name, name) })
}

// How an array is written in the text that is signed.
type arrayForm int

const (
	asSent arrayForm = iota // a[]=x&a[]=y
	joined                  // a=x,y, whatever is in the brackets, as PHP's library does
)

// appendText appends what the signature of a request is made of: the method,
// the path and the parameters but the signature itself, without any encoding.
func (q Query) appendText(b []byte, method, path string, form arrayForm) []byte {
	b = append(b, method...)
	b = append(b, '\n')
	b = append(b, path...)
	b = append(b, '\n')
	first := true
	for i, p := range q.params {
		switch {
		case p.name == paramSignature:
			continue
		case form == joined && i > 0 && q.params[i-1].name == p.name:
			b = append(b, ',')
			b = append(b, p.value...)
			continue
		case !first:
			b = append(b, '&')
		}
		first = false
		b = append(b, p.name...)
		if form == asSent {
			b = append(b, p.index...)
		}
		b = append(b, '=')
		b = append(b, p.value...)
	}
	return b
}

// decode undoes percent-encoding (RFC 3986, section 2.1), and reads a plus sign
// as plus.
func decode(s string, plus byte) string {
	if strings.IndexByte(s, '%') < 0 && (plus == '+' || strings.IndexByte(s, '+') < 0) {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, plus)
		case s[i] == '%' && i+2 < len(s) && unhex(s[i+1]) >= 0 && unhex(s[i+2]) >= 0:
			b = append(b, byte(unhex(s[i+1])<<4|unhex(s[i+2])))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

func unhex(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

// lower turns A to Z into lower case and leaves every other byte alone, so that
// different names stay different.
func lower(s string) string {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			if b[i] >= 'A' && b[i] <= 'Z' {
				b[i] += 'a' - 'A'
			}
		}
		return string(b)
	}
	return s
}
