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
const schema = "2"

// keys are the names of what a cluster has in Redis.
type keys struct {
	prefix     string
	db         int // of the Redis
	partitions int
	publish    string // the command
	numbered   int    // of so many messages of a topic one has its offset
}

// sharded reports whether messages are published to the node of a Redis Cluster
// that has the partition.
func (k keys) sharded() bool { return k.publish == "SPUBLISH" }

func (k keys) partition(topic string) int {
	if k.partitions == 1 {
		return 0
	}
	return int(crc32.ChecksumIEEE([]byte(topic)) % uint32(k.partitions))
}

// root is what all keys and channels begin with. Redis hears what is published in
// any of its databases in all of them, so that the database has to be in the name.
func (k keys) root() string {
	root := k.prefix + ":" + schema + ":"
	if k.db != 0 {
		root += fmt.Sprintf("db%d:", k.db)
	}
	return root
}

// of is what all keys of a partition begin with.
func (k keys) of(partition int) string { return fmt.Sprintf("%s{%d}", k.root(), partition) }

// control is what the keys of the cluster itself begin with.
func (k keys) control() string { return k.root() + "{nodes}" }

// channel is where the messages of a topic are published, and the key of its log.
func (k keys) channel(topic string) string { return k.channelOf(k.partition(topic), topic) }

func (k keys) channelOf(partition int, topic string) string { return k.of(partition) + ":t:" + topic }

// cache is what a cache channel keeps.
func (k keys) cache(topic string) string { return k.of(k.partition(topic)) + ":c:" + topic }

// probe is where a node publishes to itself.
func (k keys) probe(partition int, node string) string {
	return k.of(partition) + ":probe:" + node
}
