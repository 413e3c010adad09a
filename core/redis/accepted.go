package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	acceptedFor  = 10 * time.Second // before a loss; what is older was heard, or read from the log, long ago
	mostAccepted = 16 << 10         // events of a partition that are remembered
)

// accepted remembers what Redis has accepted from this node lately. When Redis has
// lost something, as one that was killed and starts empty, or a replica that has
// become the master without the last of it, the logs do not tell what is missing.
// Then the nodes tell one another what was accepted from them, so that each counts
// what it has not delivered.
type accepted struct {
	mu     sync.Mutex // guards what follows
	recent []receipt  // the oldest first
}

// receipt is that an event was accepted.
type receipt struct {
	topic  string
	number int64
	at     time.Time
}

func (a *accepted) add(batch []*publication) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, p := range batch {
		a.recent = append(a.recent, receipt{p.topic, p.number, now})
	}
	old := max(0, len(a.recent)-mostAccepted)
	for old < len(a.recent) && now.Sub(a.recent[old].at) > 2*acceptedFor {
		old++
	}
	if old > len(a.recent)/4 {
		a.recent = slices.Clone(a.recent[old:])
	}
}

// between returns what was accepted in a time, by topic: the number of each event,
// and how many milliseconds ago it was.
func (a *accepted) between(from, to time.Time) map[string][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := map[string][]string{}
	for _, r := range a.recent {
		if !r.at.Before(from) && !r.at.After(to) {
			all[r.topic] = append(all[r.topic], fmt.Sprint(r.number, ":", time.Since(r.at).Milliseconds()))
		}
	}
	return all
}

// account has the nodes told what was accepted from this one before now, once all
// of them should hear messages again.
func (n *Node) account(ctx context.Context) {
	lost := time.Now()
	if !sleep(ctx, n.config.Lease/2+2*time.Second) {
		return
	}
	for _, b := range n.batchers {
		for topic, numbers := range b.accepted.between(lost.Add(-acceptedFor), lost) {
			if n.tellAccepted(ctx, topic, numbers) != nil {
				return // Redis is away again: there will be another account
			}
		}
	}
}

func (n *Node) tellAccepted(ctx context.Context, topic string, numbers []string) error {
	message := appendField(appendField([]byte{kindAccepted}, n.producer), strings.Join(numbers, " "))
	channel := n.keys.channel(topic)
	publish := n.publish.Publish
	if n.keys.sharded() {
		publish = n.publish.SPublish
	}
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	return publish(ctx, channel, message).Err()
}

// accounts has an account given now and then, as long as there is reason.
func (n *Node) accounts(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.losing:
			n.account(ctx)
		}
	}
}

// mayHaveLost is called when Redis may have lost something.
func (n *Node) mayHaveLost() {
	select {
	case n.losing <- struct{}{}:
	default: // an account is due
	}
}

// account is what was accepted from a node.
type account struct {
	producer string
	events   []receipt // without their topic
}

// parseAccepted reads what account has told.
func (n *Node) parseAccepted(b []byte) (a account, err error) {
	f, err := fields(b[1:], 2)
	if err != nil {
		return a, err
	}
	a.producer = n.names.of(f[0])
	now := time.Now()
	for s := range strings.FieldsSeq(string(f[1])) {
		number, age, ok := strings.Cut(s, ":")
		i, err := parseInt([]byte(number))
		if err != nil || !ok {
			return a, errEnvelope
		}
		ms, err := parseInt([]byte(age))
		if err != nil {
			return a, err
		}
		a.events = append(a.events, receipt{number: i, at: now.Add(-time.Duration(ms) * time.Millisecond)})
	}
	return a, nil
}

// audit counts events that were accepted since the node listens, and have not come:
// neither will they.
func (t *tail) audit(a account) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.accounts = append(t.accounts, a)
	t.auditAll()
}

// auditAll is called with mu held. While the log is to be read, what is missing may
// be in it.
func (t *tail) auditAll() {
	if t.over || t.doubtful || t.reading {
		return
	}
	missing := int64(0)
	for _, a := range t.accounts {
		for _, e := range a.events {
			if e.at.After(t.began.Add(beganSlack)) && !t.seen.has(a.producer, e.number) {
				t.seen.add(a.producer, e.number)
				missing++
			}
		}
	}
	if t.accounts = nil; missing > 0 {
		t.node.lost.add(t.topic, missing)
	}
}

// beganSlack is how long after a node has begun to listen an event may still be one
// from before: the times are of two clocks.
const beganSlack = time.Second
