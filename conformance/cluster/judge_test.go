package cluster_test

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// mute is a client of no server, which has heard some events.
func mute(node int, keys ...string) *listener {
	l := &listener{node: node, heard: map[string]time.Time{}, again: map[string]int{}, order: map[string][]string{}}
	for _, key := range keys {
		channel, number := key[:2], key[3:]
		l.event(channel, number)
	}
	return l
}

// TestVerdict sees that a trial finds what it is there to find.
func TestVerdict(t *testing.T) {
	died := time.Now()
	answered := func(key string, status int, after time.Duration) *event {
		at := died.Add(after)
		return &event{key: key, sent: at, answered: at.Add(time.Millisecond), status: status}
	}
	early := answered("c0/0", http.StatusOK, -2*time.Second)
	dying := answered("c0/1", http.StatusOK, -500*time.Millisecond)
	refused := answered("c0/2", http.StatusServiceUnavailable, 0)
	fine := answered("c0/3", http.StatusOK, time.Second)
	for name, c := range map[string]struct {
		clients []*listener
		want    verdict
		lost    []string
	}{
		"everybody hears all": {
			clients: []*listener{mute(0, "c0/0", "c0/1", "c0/3"), mute(1, "c0/0", "c0/1", "c0/3")},
		},
		"what was refused may come": {
			clients: []*listener{mute(0, "c0/0", "c0/1", "c0/2", "c0/3"), mute(1, "c0/0", "c0/1", "c0/3")},
		},
		"one client misses one that was accepted": {
			clients: []*listener{mute(0, "c0/0", "c0/1", "c0/3"), mute(1, "c0/1", "c0/3")},
			lost:    []string{"c0/0"},
		},
		"Redis may lose what it was told last, and no more": {
			clients: []*listener{mute(0, "c0/3"), mute(1, "c0/3")},
			want:    verdict{excusable: 1},
			lost:    []string{"c0/0", "c0/1"},
		},
		"what was accepted afterwards is not excused": {
			clients: []*listener{mute(0, "c0/0", "c0/1")},
			lost:    []string{"c0/3"},
		},
		"one comes twice": {
			clients: []*listener{mute(0, "c0/0", "c0/1", "c0/3", "c0/0"), mute(1, "c0/0", "c0/1", "c0/3")},
			want:    verdict{duplicates: 1},
		},
		"two clients hear another order": {
			clients: []*listener{mute(0, "c0/0", "c0/1", "c0/3"), mute(1, "c0/1", "c0/0", "c0/3")},
			want:    verdict{disorder: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &trial{T: t, listeners: c.clients, feed: &feed{events: []*event{early, dying, refused, fine}}}
			tr.dying = [2]time.Time{died, died}
			got := tr.judge()
			var lost []string
			for _, e := range got.lost {
				lost = append(lost, e.key)
			}
			if !slices.Equal(lost, c.lost) {
				t.Errorf("lost: got %v, want %v", lost, c.lost)
			}
			if got.refused != 1 || got.accepted != 3 {
				t.Errorf("got %d refused and %d accepted, want 1 and 3", got.refused, got.accepted)
			}
			if got.excusable != c.want.excusable || got.duplicates != c.want.duplicates || got.disorder != c.want.disorder {
				t.Errorf("got %d excused, %d twice, %d out of order, want %d, %d, %d",
					got.excusable, got.duplicates, got.disorder, c.want.excusable, c.want.duplicates, c.want.disorder)
			}
		})
	}
}
