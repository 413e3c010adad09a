package redis

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxBatch is how much a node says at once: some 2 µs each in Redis.
const maxBatch = 256

// partition says what this node has of the topics of one partition. One call at a
// time is on its way; what changes meanwhile is said together in the next.
type partition struct {
	node   *Node
	prefix string // of its keys
	wake   chan struct{}

	// Owned by run.
	name string // under which the node is known here
	call int64  // the number of the last call

	mu      sync.Mutex // guards what follows
	counts  map[string]int
	members map[member]*held
	dirty   struct {
		counts  map[string]bool
		members map[member]bool
	}
	odd     odd // what Redis seems to have lost something of
	waiting map[member][]waiter
	idle    []chan struct{} // closed when nothing is dirty anymore
	verify  bool            // whether Redis still knows the node
}

// member is a user in a topic.
type member struct{ topic, user string }

// held is a user whom connections of this node have in a topic.
type held struct {
	sockets map[string]bool
	info    string
	limit   int
	except  string
}

// lost is the code of what cannot be, unless Redis has lost something.
const lost = -2

// result is what Redis says of a member that has come or gone.
type result struct {
	code int // the version of the change if it was the first or last, 0 if not so, -1 full
	err  error
}

// waiter waits for what Redis says of a coming, 'j', or a going, 'l'. Of a coming
// and a going that are said together Redis hears nothing: neither was the first
// nor the last.
type waiter struct {
	op   byte
	done chan result
}

func newPartition(n *Node, i int) *partition {
	p := &partition{
		node: n, prefix: n.keys.of(i), wake: make(chan struct{}, 1),
		counts: map[string]int{}, members: map[member]*held{}, waiting: map[member][]waiter{},
	}
	p.dirty.counts, p.dirty.members = map[string]bool{}, map[member]bool{}
	p.odd = odd{map[string]bool{}, map[member]bool{}}
	return p
}

func (n *Node) part(topic string) *partition { return n.parts[n.keys.partition(topic)] }

func (p *partition) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// check has the partition see whether Redis still knows the node.
func (p *partition) check() {
	p.mu.Lock()
	p.verify = true
	p.mu.Unlock()
	p.poke()
}

// count notes how many subscriptions of a topic are here.
func (p *partition) count(topic string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n == 0 {
		delete(p.counts, topic)
	} else {
		p.counts[topic] = n
	}
	p.dirty.counts[topic] = true
	p.poke()
}

// join notes a connection of a user. It returns a channel for what Redis says of
// the first one here, and nil for others.
func (p *partition) join(m member, socket, except, info string, limit int) <-chan result {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.members[m]
	if h != nil {
		h.sockets[socket] = true
		if w := p.waiting[m]; w == nil {
			return nil
		}
	} else {
		p.members[m] = &held{sockets: map[string]bool{socket: true}, info: info, limit: limit, except: except}
		p.dirty.members[m] = true
	}
	return p.wait(m, 'j')
}

// wait is called with mu held.
func (p *partition) wait(m member, op byte) <-chan result {
	done := make(chan result, 1)
	p.waiting[m] = append(p.waiting[m], waiter{op, done})
	p.poke()
	return done
}

// leave takes a connection from a user. It reports whether it was there, and
// returns a channel for what Redis says if none is left here.
func (p *partition) leave(m member, socket string) (here bool, said <-chan result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.members[m]
	if h == nil || !h.sockets[socket] {
		return false, nil
	}
	delete(h.sockets, socket)
	if len(h.sockets) > 0 {
		return true, nil
	}
	delete(p.members, m)
	p.dirty.members[m] = true
	return true, p.wait(m, 'l')
}

// local returns the users of a topic that are here.
func (p *partition) local(topic string) map[string]*held {
	p.mu.Lock()
	defer p.mu.Unlock()
	users := map[string]*held{}
	for m, h := range p.members {
		if m.topic == topic {
			users[m.user] = h
		}
	}
	return users
}

// settle waits until all is said.
func (p *partition) settle(ctx context.Context) error {
	p.mu.Lock()
	if len(p.dirty.counts)+len(p.dirty.members) == 0 {
		p.mu.Unlock()
		return nil
	}
	done := make(chan struct{})
	p.idle = append(p.idle, done)
	p.mu.Unlock()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run says what there is to say, until ctx is done.
func (p *partition) run(ctx context.Context) {
	const least, most = 50 * time.Millisecond, time.Second
	pause := least
	for {
		select {
		case <-ctx.Done():
			p.fail(ErrAway)
			return
		case <-p.wake:
		}
		for {
			more, err := p.say(ctx)
			if err == nil {
				pause = least
				if !more {
					break
				}
				continue
			}
			p.fail(ErrAway)
			p.node.health.poke() // which sees whether Redis answers at all
			if !sleep(ctx, pause) {
				return
			}
			pause = min(2*pause, most)
		}
	}
}

// fail tells who waits that Redis does not answer. What they wanted is said
// later.
func (p *partition) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for m, all := range p.waiting {
		for _, w := range all {
			w.done <- result{err: err}
		}
		delete(p.waiting, m)
	}
}

// say says one batch, and reports whether there is more.
func (p *partition) say(ctx context.Context) (more bool, err error) {
	if name := p.node.Name(); name != p.name {
		if err := p.register(ctx, name, 0); err != nil || p.name != name {
			return true, err
		}
	}
	b := p.batch()
	p.mu.Lock()
	verify := p.verify
	p.verify = false
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 2*answer)
	defer cancel()
	if b.size() == 0 && !verify {
		return p.mendOdd(ctx)
	}
	p.call++
	codes, err := p.node.run(ctx, p.node.scripts.apply, p.prefix, b.keys(p.name), append([]any{p.name, p.call}, b.args...)...).Int64Slice()
	if err != nil {
		p.put(b)
		return true, p.refused(ctx, err)
	}
	p.done(b, codes)
	_, err = p.mendOdd(ctx)
	return true, err
}

// refused sees to a call that Redis has not done.
func (p *partition) refused(ctx context.Context, err error) error {
	switch {
	case redis.HasErrorPrefix(err, "FENCED"):
		p.node.again(p.name, "it was silent for longer than its lease")
		return nil
	case redis.HasErrorPrefix(err, "STALE"):
		// An earlier call has come late, with a higher number than this one has.
		p.node.again(p.name, "its calls came in disorder")
		return nil
	case redis.HasErrorPrefix(err, "LOST"):
		p.node.health.lost()
		return p.register(ctx, p.node.Name(), p.node.config.Lease/4+time.Second)
	}
	return err
}

// register makes the node known in the partition, and all that it has is to be
// said. While Redis gets to know again what it had, nobody is told of changes.
func (p *partition) register(ctx context.Context, name string, quiet time.Duration) error {
	call := p.call // after which numbers go on, so that no call from before is done again
	if name != p.name {
		call = 0
	}
	err := p.node.run(ctx, p.node.scripts.register, p.prefix, []string{"nodes", "epoch", "recover"},
		name, quiet.Milliseconds(), call).Err()
	if redis.HasErrorPrefix(err, "FENCED") {
		p.node.again(name, "it was silent for longer than its lease")
		return nil
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.name, p.call = name, call
	clear(p.dirty.counts)
	clear(p.dirty.members)
	for topic := range p.counts {
		p.dirty.counts[topic] = true
	}
	for m, h := range p.members {
		p.dirty.members[m] = true
		h.except = "" // who has come with it was told if it was gone meanwhile
	}
	for m := range p.waiting { // who has left meanwhile
		p.dirty.members[m] = true
	}
	return nil
}

// batch is what is said in one call.
type batch struct {
	args    []any
	counts  []string
	members []member // in the order of the call
}

func (b *batch) size() int { return len(b.counts) + len(b.members) }

// keys are those that the call touches, of a node.
func (b *batch) keys(node string) []string {
	topics := make([]string, len(b.members))
	for i, m := range b.members {
		topics[i] = m.topic
	}
	return append(stateKeys(node), membersOf(topics)...)
}

// membersOf are the keys of who is in topics.
func membersOf(topics []string) (keys []string) {
	slices.Sort(topics)
	for _, topic := range slices.Compact(topics) {
		keys = append(keys, "p:"+topic)
	}
	return keys
}

// batch takes what is dirty: first topics that have subscriptions, then who has
// come, then who has gone, and last topics that have none anymore. So backends
// hear of it in that order.
func (p *partition) batch() (b batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var gone []string
	for topic := range p.dirty.counts {
		if b.size()+len(gone) >= maxBatch {
			break
		}
		delete(p.dirty.counts, topic)
		if n := p.counts[topic]; n > 0 {
			b.counts = append(b.counts, topic)
			b.args = append(b.args, "n", topic, n)
		} else {
			gone = append(gone, topic)
		}
	}
	var left []member
	for m := range p.dirty.members {
		if b.size()+len(gone)+len(left) >= maxBatch {
			break
		}
		delete(p.dirty.members, m)
		if h := p.members[m]; h != nil {
			b.members = append(b.members, m)
			b.args = append(b.args, "j", m.topic, m.user, h.info, h.limit, h.except)
		} else {
			left = append(left, m)
		}
	}
	for _, m := range left {
		b.members = append(b.members, m)
		b.args = append(b.args, "l", m.topic, m.user)
	}
	for _, topic := range gone {
		b.counts = append(b.counts, topic)
		b.args = append(b.args, "n", topic, 0)
	}
	return b
}

// put makes dirty again what could not be said.
func (p *partition) put(b batch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, topic := range b.counts {
		p.dirty.counts[topic] = true
	}
	for _, m := range b.members {
		p.dirty.members[m] = true
	}
}

// done tells who waits what Redis says.
func (p *partition) done(b batch, codes []int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	members := b.members
	i, c := 0, 0
	for i < len(b.args) && c < len(codes) {
		switch b.args[i] {
		case "n":
			if codes[c] == lost {
				p.suspectCount(b.args[i+1].(string))
			}
			i += 3
		case "j":
			p.answer(members[0], 'j', int(codes[c]))
			members = members[1:]
			i += 6
		case "l":
			if codes[c] == lost {
				p.suspectMember(members[0])
			}
			p.answer(members[0], 'l', int(codes[c]))
			members = members[1:]
			i += 3
		}
		c++
	}
	if len(p.dirty.counts)+len(p.dirty.members) == 0 {
		for _, done := range p.idle {
			close(done)
		}
		p.idle = nil
	}
}

// answer tells who waits. Who has come or gone since the call was made waits for
// the next.
func (p *partition) answer(m member, op byte, code int) {
	if op == 'j' {
		switch h := p.members[m]; {
		case code < 0:
			delete(p.members, m)
		case h != nil:
			h.limit = 0 // it is in, whatever comes
		}
	}
	var later []waiter
	for _, w := range p.waiting[m] {
		switch {
		case w.op == op:
			w.done <- result{code: code}
			code = min(code, 0)
		case p.dirty.members[m]:
			later = append(later, w)
		default:
			w.done <- result{}
		}
	}
	if delete(p.waiting, m); len(later) > 0 {
		p.waiting[m] = later
	}
}
