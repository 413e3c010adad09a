package redistest

import (
	"bytes"
	"strconv"
	"strings"
)

// A scanner finds the names of the commands in what a client sends, however it
// is cut into pieces. What is no command of RESP, such as TLS, blinds it.
type scanner struct {
	line  []byte // that is not whole yet
	skip  int    // bytes of a string whose content does not matter
	args  int    // of the command, that are still to come
	first bool   // whether the next argument is the name
	name  []byte // that is not whole yet
	want  int    // bytes of name and its end that are missing
	blind bool
}

// scan returns the names that end in b, in upper case.
func (s *scanner) scan(b []byte) (names []string) {
	for len(b) > 0 && !s.blind {
		switch {
		case s.want > 0:
			n := min(s.want, len(b))
			s.name = append(s.name, b[:n]...)
			s.want -= n
			b = b[n:]
			if s.want == 0 {
				names = append(names, strings.ToUpper(string(bytes.TrimRight(s.name, "\r\n"))))
			}
		case s.skip > 0:
			n := min(s.skip, len(b))
			s.skip -= n
			b = b[n:]
		default:
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				s.line = append(s.line, b...)
				s.blind = len(s.line) > 64
				return names
			}
			s.head(append(s.line, b[:end]...))
			s.line = s.line[:0]
			b = b[end+1:]
		}
	}
	return names
}

// head takes the line before a command, or before an argument of it.
func (s *scanner) head(line []byte) {
	if len(line) < 2 {
		s.blind = true
		return
	}
	n, err := strconv.Atoi(strings.TrimRight(string(line[1:]), "\r"))
	switch {
	case err != nil || n < 0:
		s.blind = true
	case line[0] == '*' && s.args == 0:
		s.args, s.first = n, true
	case line[0] == '$' && s.args > 0 && s.first:
		s.args, s.first = s.args-1, false
		s.name, s.want = s.name[:0], n+2
	case line[0] == '$' && s.args > 0:
		s.args, s.skip = s.args-1, n+2
	default:
		s.blind = true
	}
}
