package redis

import (
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/revurb/revurb/core/channel"
)

// All keys of a topic are in one partition, whose name is in braces, so that a
// Redis Cluster has them in one place. A single Redis has one partition.
const clusterPartitions = 16

// topicKey is a topic in keys, channels and scripts. No app's ID and no
// channel's name has a zero byte.
func topicKey(t channel.Topic) string { return t.App + "\x00" + t.Channel }

func parseTopic(key string) (t channel.Topic, ok bool) {
	t.App, t.Channel, ok = strings.Cut(key, "\x00")
	return t, ok
}

// parseMember reads a user in a topic: "app NUL channel NUL user".
func parseMember(field string) (m member, ok bool) {
	app, rest, _ := strings.Cut(field, "\x00")
	channel, user, ok := strings.Cut(rest, "\x00")
	return member{app + "\x00" + channel, user}, ok
}

// schema is the version of what the keys and messages mean. Nodes of different
// versions share nothing, rather than misunderstand one another.
const schema = "1"

// keys are the names of what a cluster has in Redis.
type keys struct {
	prefix     string
	partitions int
	publish    string // the command
}

func (k keys) partition(topic string) int {
	if k.partitions == 1 {
		return 0
	}
	return int(crc32.ChecksumIEEE([]byte(topic)) % uint32(k.partitions))
}

// of is what all keys of a partition begin with.
func (k keys) of(partition int) string { return fmt.Sprintf("%s:%s:{%d}", k.prefix, schema, partition) }

// control is what the keys of the cluster itself begin with.
func (k keys) control() string { return k.prefix + ":" + schema + ":{nodes}" }

// channel is where the messages of a topic are published.
func (k keys) channel(topic string) string { return k.of(k.partition(topic)) + ":t:" + topic }

// probe is where a node publishes to itself.
func (k keys) probe(partition int, node string) string {
	return k.of(partition) + ":probe:" + node
}
