package redis

import (
	"context"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// compare looks for what this node has and Redis not, and the other way round. It
// reads while the node goes on: what seems to differ is only looked at, and put
// right if it does, by a call of the node.
func (p *partition) compare(ctx context.Context) error {
	name := p.node.Name()
	if err := p.compareCounts(ctx, name); err != nil {
		return err
	}
	err := p.compareMembers(ctx, name)
	p.poke()
	return err
}

func (p *partition) compareCounts(ctx context.Context, name string) error {
	seen := map[string]bool{}
	err := p.scan(ctx, "n:"+name, func(topics, counts []string) error {
		totals, err := p.node.state.HMGet(ctx, p.prefix+":tot", topics...).Result()
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, topic := range topics {
			seen[topic] = true
			total, _ := totals[i].(string)
			if number(counts[i]) != p.counts[topic] || number(total) < p.counts[topic] {
				p.suspectCount(topic)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for topic := range p.counts {
		if !seen[topic] && !p.dirty.counts[topic] {
			p.suspectCount(topic)
		}
	}
	return nil
}

func (p *partition) compareMembers(ctx context.Context, name string) error {
	seen := map[member]bool{}
	err := p.scan(ctx, "m:"+name, func(fields, _ []string) error {
		all := make([]member, 0, len(fields))
		pipe := p.node.state.Pipeline()
		var told []*redis.SliceCmd
		for _, field := range fields {
			m, ok := parseMember(field)
			if !ok {
				continue
			}
			all = append(all, m)
			told = append(told, pipe.HMGet(ctx, p.prefix+":p:"+m.topic, "c\x00"+m.user, "i\x00"+m.user))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for i, m := range all {
			seen[m] = true
			has := told[i].Val()
			if p.members[m] == nil || has[0] == nil || has[1] == nil {
				p.suspectMember(m)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for m := range p.members {
		if !seen[m] && !p.dirty.members[m] {
			p.suspectMember(m)
		}
	}
	return nil
}

// scan reads a hash in batches.
func (p *partition) scan(ctx context.Context, key string, each func(fields, values []string) error) error {
	var cursor uint64
	for {
		reply, next, err := p.node.state.HScan(ctx, p.prefix+":"+key, cursor, "", auditBatch).Result()
		if err != nil {
			return err
		}
		var fields, values []string
		for i := 0; i+1 < len(reply); i += 2 {
			fields, values = append(fields, reply[i]), append(values, reply[i+1])
		}
		if len(fields) > 0 {
			if err := each(fields, values); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// addUp adds up what the hashes of nodes have in fields.
func (p *partition) addUp(ctx context.Context, kind string, nodes, fields []string) ([]int, error) {
	sums := make([]int, len(fields))
	if len(fields) == 0 || len(nodes) == 0 {
		return sums, nil
	}
	pipe := p.node.state.Pipeline()
	var all []*redis.SliceCmd
	for _, name := range nodes {
		all = append(all, pipe.HMGet(ctx, p.prefix+":"+kind+name, fields...))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, err
	}
	for _, cmd := range all {
		for i, v := range cmd.Val() {
			s, _ := v.(string)
			sums[i] += number(s)
		}
	}
	return sums, nil
}

// master is the server that has the keys of a partition.
func (p *partition) master(ctx context.Context) (redis.Cmdable, error) {
	if c, ok := p.node.state.(*redis.ClusterClient); ok {
		return c.MasterForKey(ctx, p.prefix)
	}
	return p.node.state, nil
}

// number is that of a text, and 0 for none.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
