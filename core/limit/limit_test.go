package limit_test

import (
	"testing"
	"time"

	"github.com/revurb/revurb/core/limit"
)

func TestRate(t *testing.T) {
	r := limit.Per(3, time.Hour)
	for i := range 5 {
		if got, want := r.Allow(), i < 3; got != want {
			t.Errorf("event %d: Allow = %v, want %v", i, got, want)
		}
	}
}

func TestNoLimit(t *testing.T) {
	for _, r := range []*limit.Rate{limit.PerSecond(0), limit.Per(5, 0), nil} {
		for range 1000 {
			if !r.Allow() {
				t.Fatal("a limit of none refuses")
			}
		}
		if wait, ok := r.AllowN(1000); !ok || wait != 0 {
			t.Errorf("AllowN = %v, %v", wait, ok)
		}
	}
}

func TestAllowN(t *testing.T) {
	r := limit.Per(10, 10*time.Hour)
	if _, ok := r.AllowN(8); !ok {
		t.Error("8 of 10 are refused")
	}
	wait, ok := r.AllowN(4)
	if ok {
		t.Error("12 of 10 may pass")
	}
	if wait <= time.Hour || wait > 2*time.Hour {
		t.Errorf("2 more may pass in %v, want nearly 2h", wait)
	}
	if _, ok := r.AllowN(2); !ok {
		t.Error("what was refused has been counted")
	}
	if _, ok := limit.Per(10, time.Hour).AllowN(50); !ok {
		t.Error("more than the burst is refused when nothing else came")
	}
}
