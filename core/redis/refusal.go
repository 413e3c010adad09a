package redis

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/redis/go-redis/v9"
)

// errReplicas is the error of an event that too few replicas have. Redis has it,
// and may lose it.
var errReplicas = errors.New("too few replicas of Redis have it")

// refused reports whether Redis has certainly not done what it was asked: it could
// not be reached, or has said so. After any other error it may have.
func refused(err error) bool {
	return undialed(err) || answered(err) && !saysRedis(err, "STALE")
}

// undialed reports whether there was no connection on which to ask.
func undialed(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.Is(err, redis.ErrPoolTimeout) || errors.Is(err, redis.ErrPoolExhausted)
}

// soonOver are the refusals that end by themselves: another server becomes the
// master, a slot moves, a script ends, a client goes.
var soonOver = []string{
	"LOADING", "READONLY", "MASTERDOWN", "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN", "BUSY", "max number of clients",
}

// endsSoon reports whether it is worth trying again within publish_wait.
func endsSoon(err error) bool {
	return !answered(err) || slices.ContainsFunc(soonOver, func(prefix string) bool { return saysRedis(err, prefix) })
}

// timedOut reports whether an answer has not come in time.
func timedOut(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// absent makes no error of what is not there, and ErrAway of all else.
func absent(err error) error {
	switch {
	case err == nil, errors.Is(err, redis.Nil):
		return nil
	case errors.Is(err, context.Canceled):
		return err
	}
	return errors.Join(ErrAway, err)
}
