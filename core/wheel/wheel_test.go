package wheel_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/revurb/revurb/core/wheel"
)

// task is called until it has been called at every one of its times.
type task struct {
	times []time.Duration // at which it wants to be called
	calls []time.Duration // at which it was, and something was due
}

func (t *task) Check(now time.Duration) time.Duration {
	if now >= t.times[0] {
		t.calls = append(t.calls, now)
		t.times = t.times[1:]
	}
	if len(t.times) == 0 {
		return 0
	}
	return t.times[0]
}

const second = time.Second

func turn(w *wheel.Wheel, to time.Duration) {
	for now := w.Now() + second; now <= to; now += second {
		w.Advance(now)
	}
}

func TestTasksAreCalledWhenTheyAreDue(t *testing.T) {
	tests := []struct {
		name  string
		times []time.Duration
		want  []time.Duration
	}{
		{"at its time", []time.Duration{5 * second}, []time.Duration{5 * second}},
		{"never before its time, and at most a tick after", []time.Duration{5*second + 1}, []time.Duration{6 * second}},
		{"a time that has passed is now", []time.Duration{1}, []time.Duration{second}},
		{"again and again", []time.Duration{2 * second, 3 * second, 9 * second}, []time.Duration{2 * second, 3 * second, 9 * second}},
		{"after more than one turn", []time.Duration{60 * second, 95 * second}, []time.Duration{60 * second, 95 * second}},
		{"just before, at and after a turn", []time.Duration{15 * second, 31 * second, 48 * second}, []time.Duration{15 * second, 31 * second, 48 * second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := wheel.New(second)
			task := &task{times: tt.times}
			w.Add(tt.times[0], task)
			turn(w, 120*second)
			if !slices.Equal(task.calls, tt.want) {
				t.Errorf("got calls at %v, want %v", task.calls, tt.want)
			}
		})
	}
}

func TestTaskThatIsOverIsLetGoOfWithinATurn(t *testing.T) {
	w := wheel.New(second)
	over := &once{}
	w.Add(time.Hour, over)
	turn(w, 16*second)
	if over.calls != 1 {
		t.Fatalf("got %d calls in the first turn, want 1", over.calls)
	}
	turn(w, 200*second)
	if over.calls != 1 {
		t.Errorf("got %d calls after it had said never, want 1", over.calls)
	}
}

type once struct{ calls int }

func (o *once) Check(time.Duration) time.Duration { o.calls++; return 0 }

func TestWheelThatStoodStillCatchesUp(t *testing.T) {
	w := wheel.New(second)
	var tasks []*task
	for i := range 40 {
		task := &task{times: []time.Duration{time.Duration(i+1) * second}}
		tasks = append(tasks, task)
		w.Add(task.times[0], task)
	}
	w.Advance(10_000 * second)
	for i, task := range tasks {
		if len(task.calls) != 1 {
			t.Errorf("task %d: got %d calls, want 1", i, len(task.calls))
		}
	}
}

func TestTimeDoesNotRunBackwards(t *testing.T) {
	w := wheel.New(second)
	w.Advance(5 * second)
	w.Advance(3 * second)
	if got := w.Now(); got != 5*second {
		t.Errorf("got %v, want 5s", got)
	}
}

type broken struct{}

func (broken) Check(time.Duration) time.Duration { panic("broken") }

func TestTaskThatPanicsHarmsNoOther(t *testing.T) {
	w := wheel.New(second)
	var reasons []any
	w.Panicked = func(reason any) { reasons = append(reasons, reason) }
	before, after := &task{times: []time.Duration{second, 2 * second}}, &task{times: []time.Duration{second, 2 * second}}
	w.Add(second, before)
	w.Add(second, broken{})
	w.Add(second, after)
	turn(w, 20*second)
	if len(before.calls) != 2 || len(after.calls) != 2 {
		t.Errorf("got %d and %d calls of the others, want 2 and 2", len(before.calls), len(after.calls))
	}
	if want := []any{"broken"}; !slices.Equal(reasons, want) {
		t.Errorf("got %v reported, want %v", reasons, want)
	}
}

// adder adds another task while the wheel turns.
type adder struct {
	w     *wheel.Wheel
	added *task
}

func (a adder) Check(now time.Duration) time.Duration {
	a.w.Add(now+second, a.added)
	return 0
}

func TestTaskMayAddTasks(t *testing.T) {
	w := wheel.New(second)
	added := &task{times: []time.Duration{4 * second}}
	w.Add(3*second, adder{w, added})
	turn(w, 10*second)
	if !slices.Equal(added.calls, []time.Duration{4 * second}) {
		t.Errorf("got calls at %v, want 4s", added.calls)
	}
}

type signal chan struct{}

func (s signal) Check(time.Duration) time.Duration { close(s); return 0 }

func TestRunTurnsTheWheelUntilItIsStopped(t *testing.T) {
	w := wheel.New(time.Millisecond)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	called := make(signal)
	w.Add(3*time.Millisecond, called)
	<-called
	if w.Now() < 3*time.Millisecond {
		t.Errorf("got %v, want at least 3ms", w.Now())
	}
	stop()
	running.Wait()
}

func TestAddingIsSafeWhileTheWheelTurns(t *testing.T) {
	w := wheel.New(second)
	var adding sync.WaitGroup
	tasks := make([]once, 1000)
	for part := range 4 {
		adding.Go(func() {
			for i := part; i < len(tasks); i += 4 {
				w.Add(w.Now()+second, &tasks[i])
			}
		})
	}
	adding.Go(func() { turn(w, 50*second) })
	adding.Wait()
	turn(w, 100*second)
	for i := range tasks {
		if tasks[i].calls != 1 {
			t.Fatalf("task %d: got %d calls, want 1", i, tasks[i].calls)
		}
	}
}

// silent is a connection that is never silent for long.
type silent struct{}

func (*silent) Check(now time.Duration) time.Duration { return now + 60*second }

// BenchmarkTurn is one tick of a wheel with 50,000 connections.
func BenchmarkTurn(b *testing.B) {
	w := wheel.New(second)
	tasks := make([]silent, 50_000)
	for i := range tasks {
		w.Add(time.Duration(i%slots)*second, &tasks[i])
	}
	now := w.Now()
	b.ReportAllocs()
	for b.Loop() {
		now += second
		w.Advance(now)
	}
}

const slots = 16
