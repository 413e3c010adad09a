package config

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns which of names is so like name that it was probably meant,
// or "". Of two that are as near, it is the one that goes on where name ends.
func Nearest(name string, names []string) string {
	best, least := "", max(2, len(name)/3)+1
	name = strings.ToLower(name)
	for _, n := range names {
		d := levenshtein.Distance(name, strings.ToLower(n), nil)
		if d < len(name) && (d < least || d == least && best != "" && strings.HasPrefix(n, name)) {
			best, least = n, d
		}
	}
	return best
}

// didYouMean continues an error about a name that is none of names. How it
// is written is up to the caller.
func didYouMean(name string, names []string, write func(string) string) string {
	if n := Nearest(name, names); n != "" {
		return "; did you mean " + write(n) + "?"
	}
	return ""
}

// hintKey continues an error about an unknown key: with the nearest key of
// its section, the sections that have it, or the nearest key of all.
func hintKey(name string) string {
	sect, last := section(name), local(name)
	var siblings, all, homes []string
	for _, k := range schema {
		all = append(all, k.name)
		if section(k.name) == sect {
			siblings = append(siblings, local(k.name))
		}
		if local(k.name) == last {
			homes = append(homes, header(section(k.name)))
		}
	}
	if hint := didYouMean(last, siblings, quote); hint != "" {
		return hint
	}
	if homes != nil {
		return fmt.Sprintf("; %s is a key of %s", last, strings.Join(homes, " and "))
	}
	if n := Nearest(name, all); n != "" {
		return fmt.Sprintf("; did you mean %q in %s?", local(n), header(section(n)))
	}
	if len(siblings) > 0 {
		return fmt.Sprintf("; %s has %s", header(sect), strings.Join(siblings, ", "))
	}
	return "; the sections are " + strings.Join(headers(), ", ")
}

// hintSection continues an error about an unknown section.
func hintSection(name string) string {
	if hint := didYouMean(name, sections(), header); hint != "" {
		return hint
	}
	return "; the sections are " + strings.Join(headers(), ", ")
}

func headers() (all []string) {
	for _, s := range sections() {
		all = append(all, header(s))
	}
	return all
}
