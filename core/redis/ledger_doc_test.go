package redis_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The keys that common.lua lists are in ARCHITECTURE.md.
func TestKeysAreDocumented(t *testing.T) {
	script, err := os.ReadFile("scripts/common.lua")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^--   (:\w+)`).FindAllStringSubmatch(string(script), -1)
	if len(list) < 9 {
		t.Fatalf("common.lua lists %d keys", len(list))
	}
	for _, key := range list {
		in := regexp.MustCompile("(?m)^\\| `prefix:.*" + key[1] + "[:`]")
		if !in.Match(doc) {
			t.Errorf("the table of keys in ARCHITECTURE.md has no %s", strings.TrimPrefix(key[1], ":"))
		}
	}
}
