package channel_test

import (
	"testing"
	"testing/synctest"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// slow is a subscriber whose first frame takes its time.
type slow struct {
	got     chan string
	arrived chan struct{}
	goOn    chan struct{}
}

func (s *slow) Send(f *frame.Frame) {
	if text := string(f.Payload()); text == "old" {
		close(s.arrived)
		<-s.goOn
	}
	s.got <- string(f.Payload())
}

// Who leaves while something is sent, and comes again, hears nothing of it after
// the new greeting.
func TestComingAgainWhileOldFramesAreSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := channel.New("news")
		s := &slow{make(chan string, 10), make(chan struct{}), make(chan struct{})}
		c.Add(s)
		go func() { _ = c.Broadcast(frame.Text([]byte("old")), nil) }()
		<-s.arrived
		c.Remove(s)
		again := make(chan struct{})
		go func() {
			defer close(again)
			c.Add(s, frame.Text([]byte("greeting")))
		}()
		synctest.Wait()
		select {
		case <-again:
			t.Error("the greeting has overtaken what was being sent")
		default: // it waits
		}
		close(s.goOn)
		<-again
		if first, second := <-s.got, <-s.got; first != "old" || second != "greeting" {
			t.Errorf("heard %s, then %s", first, second)
		}
	})
}
