// Package limit counts against limits: rates, and how many there are of a
// thing at once. It is the only package that imports a rate limiting library.
//
// It does not know what is limited, nor what happens to who exceeds a limit.
package limit

import (
	"time"

	"golang.org/x/time/rate"
)

// Rate lets so many events pass in so much time. A nil Rate lets all pass.
type Rate struct{ limiter *rate.Limiter }

// PerSecond returns a Rate of n events a second, of which all n may come at
// once; n of 0 or less returns nil.
func PerSecond(n int) *Rate { return Per(n, time.Second) }

// Per returns a Rate of n events in every d; n of 0 or less returns nil.
func Per(n int, d time.Duration) *Rate {
	if n <= 0 || d <= 0 {
		return nil
	}
	return &Rate{rate.NewLimiter(rate.Limit(float64(n)/d.Seconds()), n)}
}

// Allow reports whether one more event may pass now.
func (r *Rate) Allow() bool {
	return r == nil || r.limiter.Allow()
}

// AllowN reports whether n more events may pass now: all of them or none. If
// they may not, wait is how long it takes until they might.
func (r *Rate) AllowN(n int) (wait time.Duration, ok bool) {
	if r == nil {
		return 0, true
	}
	now := time.Now()
	if n > r.limiter.Burst() { // could never pass; it does once the bucket is full
		n = r.limiter.Burst()
	}
	res := r.limiter.ReserveN(now, n)
	if wait = res.DelayFrom(now); wait == 0 {
		return 0, true
	}
	res.CancelAt(now)
	return wait, false
}

// unused reports whether the next event is as free to pass as the first was.
func (r *Rate) unused() bool {
	return r == nil || r.limiter.Tokens() >= float64(r.limiter.Burst())
}
