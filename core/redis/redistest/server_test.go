package redistest_test

import (
	"testing"

	"github.com/revurb/revurb/core/redis/redistest"
)

func TestStart(t *testing.T) {
	r := redistest.Start(t)
	if got := r.Do("SET", "k", "v"); got != "OK" {
		t.Errorf("SET: got %v, want OK", got)
	}
	if got := r.Do("GET", "k"); got != "v" {
		t.Errorf("GET: got %v, want v", got)
	}
}
