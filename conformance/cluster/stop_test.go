package cluster_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/revurb/revurb/conformance"
	"github.com/revurb/revurb/core/redis/redistest"
)

// TestStopWithoutRedis has nodes stop as they should when there is nobody to say
// goodbye to.
func TestStopWithoutRedis(t *testing.T) {
	r := redistest.Start(t)
	c := start(t, 2, fmt.Sprintf("url = %q", r.URL()))
	play(t, c.target(t), func(ct *conformance.T) {
		for node := range 2 {
			ct.ConnectTo(conformance.Dialing{Node: node}).SubscribePresence(ct.Name("presence-"), "m")
		}
		begun := time.Now()
		if err := c.all[0].end(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		t.Logf("with Redis a node stops in %v", time.Since(begun).Round(time.Millisecond))
		r.Kill()
		begun = time.Now()
		if err := c.all[1].end(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		t.Logf("without Redis a node stops in %v", time.Since(begun).Round(time.Millisecond))
	})
}
