package server_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
)

// Whoever comes and goes, and however, leaves nothing behind.
func TestChurnLeavesNothing(t *testing.T) {
	const cycles, workers = 2000, 8
	s := serve(t)
	s.gauges() // what is made once is made now
	before := holdings(t)

	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range cycles / workers {
				if err := s.cycle(w*cycles + i); err != nil {
					t.Errorf("client %d of worker %d: %v", i, w, err)
					return
				}
			}
		})
	}
	wg.Wait()

	eventually(t, "no clients", func() bool {
		connections, subscriptions, channels := s.gauges()
		return connections+subscriptions+channels == 0
	})
	var after holding
	eventually(t, fmt.Sprintf("back to %+v", before), func() bool {
		after = holdings(t)
		return after.goroutines <= before.goroutines && after.files <= before.files
	})
}

type holding struct{ goroutines, files int }

func holdings(t *testing.T) holding {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" { // elsewhere only goroutines are counted
		t.Fatal(err)
	}
	return holding{runtime.NumGoroutine(), len(files)}
}

// cycle is a client's life: it ends in one of several ways.
func (s *stage) cycle(i int) error {
	nc, err := s.dial()
	if err != nil {
		return err
	}
	c, res, err := upgrade(nc, path, nil)
	if err != nil || res != nil {
		return fmt.Errorf("upgrade: %v, %w", res, err)
	}
	if err := c.greet(); err != nil {
		return err
	}
	if err := c.send("pusher:subscribe", map[string]string{"channel": fmt.Sprintf("news-%d", i%7)}); err != nil {
		return err
	}
	room := c.credentials("presence-room", fmt.Sprintf(`{"user_id":%d}`, i%50))
	room["channel"] = "presence-room"
	if err := c.send("pusher:subscribe", room); err != nil {
		return err
	}
	switch i % 4 {
	case 0: // with a close frame
		if err := c.write(0x88, []byte{3, 232}); err != nil {
			return err
		}
		for m := (message{}); err == nil && m.close == 0; {
			m, err = c.read()
		}
		_ = c.Close()
		return err
	case 1: // in the middle of it
		return c.Close()
	case 2:
		reset(c)
	case 3: // with a frame that no client may send
		if err := c.write(0xff, nil); err != nil {
			return err
		}
		for err == nil {
			_, err = c.read()
		}
		_ = c.Close()
	}
	return nil
}
