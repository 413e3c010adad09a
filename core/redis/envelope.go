package redis

import (
	"bytes"
	"errors"
	"strconv"
)

// What nodes send one another begins with a letter and goes on with fields, each
// with its length before it, as "3:abc". Scripts write it, too. A node that does
// not know the letter, or finds anything else wrong, ignores it and counts that.
const (
	kindMessage = 'm' // except, version of the cache, payload
	kindChange  = 'c' // epoch, version of the topic's last change, version, "+" or "-", user, info with its order, except
	kindProbe   = 'p' // number
)

var errEnvelope = errors.New("not what a node sends")

func appendField[T string | []byte](b []byte, s T) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// fields reads n fields after the letter. They share b's memory.
func fields(b []byte, n int) (all [][]byte, err error) {
	b = b[1:]
	for range n {
		head, rest, ok := bytes.Cut(b, []byte{':'})
		if !ok || len(head) > 9 {
			return nil, errEnvelope
		}
		size, err := strconv.ParseUint(string(head), 10, 31)
		if err != nil || size > uint64(len(rest)) {
			return nil, errEnvelope
		}
		all = append(all, rest[:size:size])
		b = rest[size:]
	}
	if len(b) > 0 {
		return nil, errEnvelope
	}
	return all, nil
}

// change is what a script publishes of a member.
type change struct {
	epoch  string
	last   int64 // the version of the change before, or 0 if nobody was there
	v      int64
	came   bool
	user   string
	order  int64
	info   []byte
	except string
}

func parseChange(b []byte) (c change, err error) {
	f, err := fields(b, 7)
	if err != nil {
		return c, err
	}
	c.epoch, c.user, c.except = string(f[0]), string(f[4]), string(f[6])
	c.came = string(f[3]) == "+"
	if c.last, err = strconv.ParseInt(string(f[1]), 10, 64); err != nil {
		return c, errEnvelope
	}
	if c.v, err = strconv.ParseInt(string(f[2]), 10, 64); err != nil {
		return c, errEnvelope
	}
	if c.came {
		c.order, c.info, err = parseInfo(f[5])
	}
	return c, err
}

// parseInfo reads what is kept of a member: "order:info".
func parseInfo(b []byte) (order int64, info []byte, err error) {
	head, info, ok := bytes.Cut(b, []byte{':'})
	if order, err = strconv.ParseInt(string(head), 10, 64); err != nil || !ok {
		return 0, nil, errEnvelope
	}
	if len(info) == 0 {
		return order, nil, nil
	}
	return order, bytes.Clone(info), nil
}
