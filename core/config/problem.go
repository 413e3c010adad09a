package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with the configuration.
type Problem struct {
	Where string // "revurb.toml:12", "REVURB_SERVER_PORT", "--port"; "" where no place is to blame
	What  string // what is wrong, and what would be right
}

func (p Problem) String() string {
	if p.Where == "" {
		return p.What
	}
	return p.Where + ": " + p.What
}

// Problems is everything that Load found wrong, in the order of the file, the
// environment and the flags. It is the error for what the user can put right
// in the configuration.
type Problems []Problem

// Error has a line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// add notes a problem at the place that s names.
func (p *Problems) add(s Source, format string, args ...any) {
	*p = append(*p, Problem{s.place(), fmt.Sprintf(format, args...)})
}

// err is p as an error, which is nil if there are none.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
