package redis_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The keys that common.lua lists, and those that nodes name in other scripts and
// commands, are in ARCHITECTURE.md.
func TestKeysAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for source, least := range map[string]int{"scripts/common.lua": 9, "groups.go": 3, "keys.go": 3} {
		if n := len(keysIn(t, source)); n < least {
			t.Errorf("%s has %d keys, want at least %d: they are written in another way", source, n, least)
		}
	}
	for _, source := range append(sources, "scripts/common.lua") {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		for _, key := range keysIn(t, source) {
			in := regexp.MustCompile("(?m)^\\| `prefix:.*" + key + "[:`]")
			if !in.Match(doc) {
				t.Errorf("the table of keys in ARCHITECTURE.md has no %s, which is in %s", strings.TrimPrefix(key, ":"), source)
			}
		}
	}
}

// keysIn returns the ends of keys in a list in Lua, or in Go, where they follow the
// name of a partition.
func keysIn(t *testing.T, source string) (keys []string) {
	t.Helper()
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	is := regexp.MustCompile(`"(:[a-z]+):?"`)
	if strings.HasSuffix(source, ".lua") {
		is = regexp.MustCompile(`(?m)^--   (:\w+)`)
	}
	for _, key := range is.FindAllStringSubmatch(string(text), -1) {
		keys = append(keys, key[1])
	}
	return keys
}
