package redis

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// refusedError is what Redis has said to a new connection before it closed it. The
// library takes any refusal of its first command for an old version, goes on, and
// tells of a connection that was closed.
type refusedError struct{ text string }

func (e *refusedError) Error() string { return "set up a connection to Redis: " + e.text }

// goodbyes are the refusals after which Redis closes a connection at once.
var goodbyes = []string{"max number of clients", "DENIED"}

// setup is a hook that hears them.
type setup struct{}

func (setup) DialHook(next redis.DialHook) redis.DialHook { return next }

func (setup) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (setup) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if cmd.Name() != "hello" {
			return err
		}
		for _, text := range goodbyes {
			if redis.HasErrorPrefix(err, text) {
				return &refusedError{strings.TrimPrefix(err.Error(), "ERR ")}
			}
		}
		return err
	}
}
