package channel_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/channel"
	"github.com/revurb/revurb/core/frame"
)

// inbox is a subscriber that remembers, and can be made to wait.
type inbox struct {
	mu   sync.Mutex
	cond *sync.Cond
	got  []string
	gate chan struct{} // if not nil, Send waits until it is closed
}

func newInbox() *inbox {
	i := new(inbox)
	i.cond = sync.NewCond(&i.mu)
	return i
}

func (i *inbox) Send(f *frame.Frame) {
	if i.gate != nil {
		<-i.gate
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.got = append(i.got, messages(f.Wire())...)
	i.cond.Broadcast()
}

// messages splits a row of frames of less than 126 bytes.
func messages(wire []byte) (all []string) {
	for len(wire) > 0 {
		n := 2 + int(wire[1])
		all = append(all, string(wire[2:n]))
		wire = wire[n:]
	}
	return all
}

// patience is how long a test waits for what is to come. Only what hangs takes so
// long, however busy the machine is.
const patience = time.Minute

// wait returns the first n messages, once there are so many.
func (i *inbox) wait(t *testing.T, n int) []string {
	t.Helper()
	timer := time.AfterFunc(patience, i.cond.Broadcast)
	defer timer.Stop()
	deadline := time.Now().Add(patience)
	i.mu.Lock()
	defer i.mu.Unlock()
	for len(i.got) < n {
		if !time.Now().Before(deadline) {
			t.Fatalf("got %d messages %v, want %d", len(i.got), i.got, n)
		}
		i.cond.Wait()
	}
	return slices.Clone(i.got)
}

func text(s string) *frame.Frame { return frame.Text([]byte(s)) }

func broadcast(t *testing.T, c *channel.Channel, s string, except channel.Subscriber) {
	t.Helper()
	if err := c.Broadcast(text(s), except); err != nil {
		t.Fatal(err)
	}
}

func TestBroadcast(t *testing.T) {
	c := channel.New("chat")
	amy, bob := newInbox(), newInbox()
	c.Add(amy, text("hello amy"))
	c.Add(bob, text("hello bob"))
	broadcast(t, c, "1", nil)
	broadcast(t, c, "2", amy)
	broadcast(t, c, "3", nil)
	if got, want := amy.wait(t, 3), []string{"hello amy", "1", "3"}; !slices.Equal(got, want) {
		t.Errorf("amy got %v, want %v", got, want)
	}
	if got, want := bob.wait(t, 4), []string{"hello bob", "1", "2", "3"}; !slices.Equal(got, want) {
		t.Errorf("bob got %v, want %v", got, want)
	}
}

func TestAddAndRemove(t *testing.T) {
	c := channel.New("chat")
	amy, bob := newInbox(), newInbox()
	if !c.Add(amy) || c.Add(amy, text("again")) {
		t.Error("Add must report whether it was the first")
	}
	c.Add(bob)
	if c.Remove(amy) {
		t.Error("the channel is empty, with bob in it")
	}
	if c.Has(amy) || !c.Has(bob) || c.Len() != 1 {
		t.Errorf("amy in it: %v, bob in it: %v, of %d", c.Has(amy), c.Has(bob), c.Len())
	}
	broadcast(t, c, "1", nil)
	bob.wait(t, 1)
	if !c.Remove(bob) {
		t.Error("the channel is not empty, with nobody in it")
	}
	broadcast(t, c, "2", nil)
	if len(amy.wait(t, 0)) > 0 || len(bob.wait(t, 0)) > 1 {
		t.Errorf("amy got %v, bob got %v after they left", amy.got, bob.got)
	}
}

// Messages that wait while somebody comes were published before, and are not
// for them; the greeting may already say what they say.
func TestNewcomerHearsOnlyWhatIsNew(t *testing.T) {
	c := channel.New("chat")
	slow, other, late := newInbox(), newInbox(), newInbox()
	slow.gate = make(chan struct{})
	c.Add(slow)
	c.Add(other) // two, so that the publisher does not wait for slow
	for i := range 5 {
		broadcast(t, c, fmt.Sprint("before", i), nil)
	}
	c.Add(late, text("greeting"))
	broadcast(t, c, "after", nil)
	close(slow.gate)
	if got, want := late.wait(t, 2), []string{"greeting", "after"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := slow.wait(t, 6); got[5] != "after" {
		t.Errorf("slow got %v", got)
	}
}

// All subscribers see all messages in one order, whoever publishes, and those
// of one publisher in the order in which they were published.
func TestOrder(t *testing.T) {
	const subscribers, publishers, each = 1200, 4, 50
	c := channel.New("chat")
	sent := make(chan int, publishers*each)
	c.Sent = func(messages, _ int) { sent <- messages }
	inboxes := make([]*inbox, subscribers)
	for i := range inboxes {
		inboxes[i] = newInbox()
		c.Add(inboxes[i])
	}
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for n := range each {
				if err := c.Broadcast(text(fmt.Sprintf("%d:%d", p, n)), nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want := inboxes[0].wait(t, publishers*each)
	next := map[string]int{}
	for _, m := range want {
		p, n, _ := strings.Cut(m, ":")
		if n != fmt.Sprint(next[p]) {
			t.Fatalf("publisher %s: got message %s, want %d", p, n, next[p])
		}
		next[p]++
	}
	for i, in := range inboxes {
		if got := in.wait(t, publishers*each); !slices.Equal(got, want) {
			t.Fatalf("subscriber %d sees another order than the first", i)
		}
	}
	for missing := subscribers * publishers * each; missing != 0; {
		select {
		case n := <-sent:
			missing -= n
		case <-time.After(patience):
			t.Fatalf("Sent was told of %d messages too few", missing)
		}
	}
}

// blocked is a subscriber that takes nothing until it is closed.
type blocked chan struct{}

func (b blocked) Send(*frame.Frame) { <-b }

func TestOverload(t *testing.T) {
	c := channel.New("chat")
	stuck := make(blocked)
	defer close(stuck)
	c.Add(stuck)
	other := make(blocked)
	close(other)
	c.Add(other)
	big := frame.Text(make([]byte, 1<<20))
	for range 20 {
		if err := c.Broadcast(big, nil); err != nil {
			if err != channel.ErrOverloaded { //nolint:errorlint // it is not wrapped
				t.Fatal(err)
			}
			return
		}
	}
	t.Error("20 MiB wait for a subscriber that takes nothing, want ErrOverloaded")
}

// Whoever comes and goes while others publish, nobody hears of a channel
// before the greeting or anything twice.
// void is a subscriber that takes no memory.
type void struct{ _ byte }

func (*void) Send(*frame.Frame) {}

func TestBroadcastToOneAllocatesNothing(t *testing.T) {
	c, f := channel.New("room"), text("a")
	c.Add(new(void))
	got := testing.AllocsPerRun(1000, func() {
		if err := c.Broadcast(f, nil); err != nil {
			t.Fatal(err)
		}
	})
	if got != 0 {
		t.Errorf("got %v allocations for a message, want 0", got)
	}
}

func TestChurn(t *testing.T) {
	c := channel.New("chat")
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			default:
				_ = c.Broadcast(text(fmt.Sprint(n)), nil)
			}
		}
	})
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 50 {
				in := newInbox()
				c.Add(in, text("greeting"))
				got := in.wait(t, 3)
				c.Remove(in)
				if got[0] != "greeting" {
					t.Errorf("first got %q, want the greeting", got[0])
				}
				if !slices.IsSortedFunc(got[1:], func(a, b string) int { return len(a)*1000 - len(b)*1000 + strings.Compare(a, b) }) {
					t.Errorf("got %v, want a growing row", got)
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	wg.Wait()
	if c.Len() != 0 {
		t.Errorf("%d are left", c.Len())
	}
}

// What the server itself says is never refused, however much is published.
func TestAnnounceIsNotRefused(t *testing.T) {
	c := channel.New("chat")
	slow := &counting{gate: make(chan struct{}), small: make(chan struct{}, 2)}
	c.Add(slow)
	c.Add(new(void))
	big := frame.Text(make([]byte, 1<<20))
	for c.Broadcast(big, nil) == nil {
	}
	c.Announce(text("member"), nil)
	close(slow.gate)
	select {
	case <-slow.small:
	case <-time.After(patience):
		t.Error("what the server said has not come")
	}
}

// counting is a subscriber that waits, and tells of messages that are small.
type counting struct {
	gate, small chan struct{}
}

func (c *counting) Send(f *frame.Frame) {
	<-c.gate
	for payload := range f.Payloads() {
		if len(payload) < 100 {
			c.small <- struct{}{}
		}
	}
}
