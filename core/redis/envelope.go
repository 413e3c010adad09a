package redis

import (
	"bytes"
	"errors"
	"strconv"
)

// What nodes send one another is an event, which begins with a digit, or begins
// with a letter, and has fields, each with its length before it, as "3:abc". Scripts
// write it, too. A node that does not know the letter, or finds anything else
// wrong, ignores it and counts that.
const (
	kindNumbered = 'b' // position of the first event, then events: see scripts/publish.lua
	kindChange   = 'c' // epoch, version of the topic's last change, version, "+" or "-", user, info with its order, except
	kindAccepted = 'a' // producer, numbers of events that were accepted from it
	kindProbe    = 'p'
)

var errEnvelope = errors.New("not what a node sends")

func appendField[T string | []byte](b []byte, s T) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// field reads a field, and returns what follows it. Both share b's memory.
func field(b []byte) (f, rest []byte, err error) {
	head, rest, ok := bytes.Cut(b, []byte{':'})
	if !ok || len(head) > 9 {
		return nil, nil, errEnvelope
	}
	size, err := strconv.ParseUint(string(head), 10, 31)
	if err != nil || size > uint64(len(rest)) {
		return nil, nil, errEnvelope
	}
	return rest[:size:size], rest[size:], nil
}

// fields reads n fields, of which b is made.
func fields(b []byte, n int) (all [][]byte, err error) {
	all = make([][]byte, n)
	for i := range all {
		if all[i], b, err = field(b); err != nil {
			return nil, err
		}
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
	f, err := fields(b[1:], 7)
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
