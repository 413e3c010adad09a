package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// kind is a kind of value: how it is read and written. The file is strict
// about types; in the environment and in flags everything is text.
type kind struct {
	want     string // what to write, for error messages
	fromTOML func(v any) (any, bool)
	fromText func(s string) (any, bool)
	toTOML   func(v any) string
}

// kinds are those of the fields that need no more than reflection to tell.
var kinds = map[reflect.Kind]*kind{
	reflect.String: {
		want: `text, in quotes`,
		fromTOML: func(v any) (any, bool) {
			s, ok := v.(string)
			return s, ok
		},
		fromText: func(s string) (any, bool) { return s, true },
		toTOML:   func(v any) string { return quote(v.(string)) },
	},
	reflect.Int: {
		want: "a whole number, without quotes",
		fromTOML: func(v any) (any, bool) {
			n, ok := v.(int64)
			return int(n), ok && int64(int(n)) == n
		},
		fromText: parseInt,
		toTOML:   func(v any) string { return strconv.Itoa(v.(int)) },
	},
	reflect.Bool: {
		want: "true or false, without quotes",
		fromTOML: func(v any) (any, bool) {
			b, ok := v.(bool)
			return b, ok
		},
		fromText: parseBool,
		toTOML:   func(v any) string { return strconv.FormatBool(v.(bool)) },
	},
	reflect.Slice: {
		want:     `a list of texts, such as ["a", "b"]`,
		fromTOML: listFromTOML,
		fromText: func(s string) (any, bool) { return splitList(s), true },
		toTOML: func(v any) string {
			quoted := []string{}
			for _, s := range v.([]string) {
				quoted = append(quoted, quote(s))
			}
			return "[" + strings.Join(quoted, ", ") + "]"
		},
	},
}

var duration = kind{
	want: `a duration with a unit, in quotes, such as "500ms", "10s" or "1h30m"`,
	fromTOML: func(v any) (any, bool) {
		s, ok := v.(string)
		if !ok {
			return nil, false
		}
		return parseDuration(s)
	},
	fromText: parseDuration,
	toTOML:   func(v any) string { return quote(formatDuration(v.(time.Duration))) },
}

// wantText is what to write where everything is text and needs no quotes.
func (k *kind) wantText() string {
	switch k {
	case &duration:
		return "a duration with a unit, such as 500ms, 10s or 1h30m"
	case kinds[reflect.Bool]:
		return "true or false"
	}
	return strings.TrimSuffix(k.want, ", without quotes")
}

// underscored is a number as TOML lets one write it: 10_000.
var underscored = regexp.MustCompile(`^[+-]?[0-9]+(_[0-9]+)*$`)

func parseInt(s string) (any, bool) {
	if !underscored.MatchString(s) {
		return nil, false
	}
	n, err := strconv.Atoi(strings.ReplaceAll(s, "_", ""))
	return n, err == nil
}

func parseBool(s string) (any, bool) {
	switch strings.ToLower(s) {
	case "true", "1", "on", "yes":
		return true, true
	case "false", "0", "off", "no":
		return false, true
	}
	return nil, false
}

func parseDuration(s string) (any, bool) {
	d, err := time.ParseDuration(s)
	return d, err == nil && (d != 0 || s != "0") // a bare 0 has no unit either
}

// formatDuration writes d as a person would: 10m, not 10m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

func listFromTOML(v any) (any, bool) {
	items, ok := v.([]any)
	if !ok {
		return nil, false
	}
	list := make([]string, len(items))
	for i := range items {
		if list[i], ok = items[i].(string); !ok {
			return nil, false
		}
	}
	return list, true
}

// splitList reads a list with commas between its items; "" is an empty one.
func splitList(s string) []string {
	list := []string{}
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// quote writes s as a TOML string, whose escapes are those of JSON.
func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // of a string, into memory
	return strings.TrimSuffix(b.String(), "\n")
}

// describe says what a value of a file is, for an error that wants another.
func describe(v any) string {
	switch v := v.(type) {
	case string:
		return "the text " + quote(v)
	case int64:
		return fmt.Sprintf("the number %d", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		for _, item := range v {
			if _, ok := item.(string); !ok {
				return "a list with " + describe(item) + " in it"
			}
		}
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
