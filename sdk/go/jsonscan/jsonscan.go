// Package jsonscan reads and changes members of JSON objects where they stand,
// without a tree, so that a plugin leaves no garbage. It checks brackets, quotes,
// commas and colons of the whole document, and nothing else of what it skips.
//
// Of equal keys the last counts, as it does for those who receive the document.
package jsonscan

const maxDepth = 200 // of brackets in brackets: the stack of a guest is small

// Raw returns the value under a path of keys as it stands, a string with its
// quotation marks. It shares doc's memory.
func Raw(doc []byte, path ...string) ([]byte, bool) {
	for _, key := range path {
		start, end, _, ok := find(doc, key)
		if !ok || start < 0 {
			return nil, false
		}
		doc = doc[start:end:end]
	}
	return doc, len(path) > 0
}

// String returns the string under a path of keys, decoded. It shares doc's memory
// unless it has escapes.
func String(doc []byte, path ...string) ([]byte, bool) {
	raw, ok := Raw(doc, path...)
	if !ok || raw[0] != '"' {
		return nil, false
	}
	return Decode(raw)
}

// Int returns the whole number under a path of keys.
func Int(doc []byte, path ...string) (n int64, ok bool) {
	raw, ok := Raw(doc, path...)
	if !ok {
		return 0, false
	}
	neg := raw[0] == '-'
	if neg {
		raw = raw[1:]
	}
	if len(raw) == 0 || len(raw) > 18 {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

// Set appends doc to dst, with the member key having the given value, which is
// JSON: in place of the value that it has, or after the last member. It returns
// false if doc is no object.
func Set(dst, doc []byte, key string, value []byte) ([]byte, bool) {
	start, end, last, ok := find(doc, key)
	if !ok {
		return dst, false
	}
	if start >= 0 {
		dst = append(dst, doc[:start]...)
		dst = append(dst, value...)
		return append(dst, doc[end:]...), true
	}
	dst = append(dst, doc[:last]...)
	if i := space(doc, 0); space(doc, i+1) != last {
		dst = append(dst, ',')
	}
	dst = AppendString(dst, key)
	dst = append(dst, ':')
	dst = append(dst, value...)
	return append(dst, doc[last:]...), true
}

// find looks for a member of the object that d is. start is -1 if there is none,
// last the closing brace. It is not ok if d is no object.
func find(d []byte, key string) (start, end, last int, ok bool) {
	start = -1
	i := space(d, 0)
	if i >= len(d) || d[i] != '{' {
		return start, 0, 0, false
	}
	i = space(d, i+1)
	for first := true; ; first = false {
		if i < len(d) && d[i] == '}' && first {
			break
		}
		k := i
		if i = text(d, i); i < 0 {
			return start, 0, 0, false
		}
		is := same(d[k:i], key)
		if i = space(d, i); i >= len(d) || d[i] != ':' {
			return start, 0, 0, false
		}
		v := space(d, i+1)
		if i = skip(d, v, 0); i < 0 {
			return start, 0, 0, false
		}
		if is {
			start, end = v, i
		}
		if i = space(d, i); i >= len(d) {
			return start, 0, 0, false
		}
		if d[i] == '}' {
			break
		}
		if d[i] != ',' {
			return start, 0, 0, false
		}
		i = space(d, i+1)
	}
	return start, end, i, space(d, i+1) == len(d)
}

// skip returns where the value at i ends, or -1.
func skip(d []byte, i, depth int) int {
	if i >= len(d) || depth > maxDepth {
		return -1
	}
	switch d[i] {
	case '"':
		return text(d, i)
	case '{', '[':
		return nested(d, i, depth)
	}
	start := i
	for i < len(d) && literal(d[i]) {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

func nested(d []byte, i, depth int) int {
	object := d[i] == '{'
	closing := d[i] + 2 // the brackets of ASCII
	if i = space(d, i+1); i < len(d) && d[i] == closing {
		return i + 1
	}
	for {
		if object {
			if i = text(d, i); i < 0 {
				return -1
			}
			if i = space(d, i); i >= len(d) || d[i] != ':' {
				return -1
			}
			i = space(d, i+1)
		}
		if i = skip(d, i, depth+1); i < 0 {
			return -1
		}
		if i = space(d, i); i >= len(d) {
			return -1
		}
		if d[i] == closing {
			return i + 1
		}
		if d[i] != ',' {
			return -1
		}
		i = space(d, i+1)
	}
}

// text returns where the string at i ends, or -1.
func text(d []byte, i int) int {
	if i >= len(d) || d[i] != '"' {
		return -1
	}
	for i++; i < len(d); i++ {
		switch d[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
	return -1
}

func space(d []byte, i int) int {
	for i < len(d) && (d[i] == ' ' || d[i] == '\t' || d[i] == '\n' || d[i] == '\r') {
		i++
	}
	return i
}

func literal(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == 'E' || c == '-' || c == '+' || c == '.'
}
