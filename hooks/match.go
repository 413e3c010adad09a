package hooks

import "strings"

// matcher is patterns, prepared for being matched often.
type matcher struct {
	all      bool
	exact    map[string]bool
	prefixes []string
	globs    [][]string // the parts between the stars
}

// newMatcher returns a matcher for patterns, in which * is any text. No pattern
// at all matches everything.
func newMatcher(patterns []string) (m matcher) {
	m.all = len(patterns) == 0
	for _, p := range patterns {
		parts := strings.Split(p, "*")
		switch {
		case p == "*":
			m.all = true
		case len(parts) == 1:
			if m.exact == nil {
				m.exact = map[string]bool{}
			}
			m.exact[p] = true
		case len(parts) == 2 && parts[1] == "":
			m.prefixes = append(m.prefixes, parts[0])
		default:
			m.globs = append(m.globs, parts)
		}
	}
	return m
}

func (m *matcher) matches(s string) bool {
	if m.all || m.exact[s] {
		return true
	}
	for _, p := range m.prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	for _, parts := range m.globs {
		if glob(parts, s) {
			return true
		}
	}
	return false
}

// glob reports whether s is the parts in their order, with any text between
// them.
func glob(parts []string, s string) bool {
	last := len(parts) - 1
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok {
		return false
	}
	for _, p := range parts[1:last] {
		if _, s, ok = strings.Cut(s, p); !ok {
			return false
		}
	}
	return strings.HasSuffix(s, parts[last])
}
