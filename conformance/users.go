package conformance

import "fmt"

// watcher is the user_data of a user who watches others.
func (t *T) watcher(id string, watched ...string) string {
	return t.JSON(struct {
		ID        string   `json:"id"`
		Watchlist []string `json:"watchlist"`
	}{id, append([]string{}, watched...)})
}

// users are the IDs of n users whom nobody else knows.
func (t *T) users(n int) []string {
	all := make([]string, n)
	prefix := t.Name("u-")
	for i := range all {
		all[i] = fmt.Sprintf("%s-%d", prefix, i)
	}
	return all
}

// clientEventRate is how many client events a second a connection may send.
func (t *T) clientEventRate() int {
	if n := t.Target.Limits.ClientEventRate; n > 0 {
		return n
	}
	return PusherLimits.ClientEventRate
}
