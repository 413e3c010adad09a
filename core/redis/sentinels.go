package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// follow hears from a sentinel who the master is, until ctx is done. All sentinels
// are followed: the one that leads a failover knows of it seconds before others.
func (m *masters) follow(ctx context.Context, addr string) {
	const least, most = 50 * time.Millisecond, time.Second
	pause := least
	for ctx.Err() == nil {
		begun := time.Now()
		err := m.listen(ctx, addr)
		m.failed(addr, err)
		if time.Since(begun) > most {
			pause = least
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, most)
	}
}

// sentinel returns a client of one sentinel.
func (m *masters) sentinel(addr string) *redis.SentinelClient {
	o := m.options
	return redis.NewSentinelClient(&redis.Options{
		Addr: addr, Username: o.SentinelUsername, Password: o.SentinelPassword, TLSConfig: o.TLSConfig, Dialer: o.Dialer,
		DialTimeout: dialTimeout, ReadTimeout: answer, WriteTimeout: answer, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
	})
}

// listen hears of failovers from one sentinel, and asks it who the master is now and
// then, until it fails.
func (m *masters) listen(ctx context.Context, addr string) error {
	client := m.sentinel(addr)
	defer func() { _ = client.Close() }()
	ps := client.Subscribe(ctx, "+switch-master")
	defer func() { _ = ps.Close() }()
	for {
		if err := m.ask(ctx, client, addr); err != nil {
			return err
		}
		for asked := time.Now(); time.Since(asked) < probeEvery; {
			got, err := ps.ReceiveTimeout(ctx, probeEvery)
			switch message, ok := got.(*redis.Message); {
			case err == nil && ok:
				m.heard(message.Payload)
			case err != nil && (!timedOut(err) || ctx.Err() != nil):
				return fmt.Errorf("listen to a sentinel: %w", err)
			}
		}
	}
}

func (m *masters) ask(ctx context.Context, client *redis.SentinelClient, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, answer)
	defer cancel()
	master, err := client.GetMasterAddrByName(ctx, m.node.config.Master).Result()
	switch {
	case err != nil:
		return fmt.Errorf("ask a sentinel for the master: %w", err)
	case len(master) != 2:
		return errors.New("ask a sentinel for the master: it does not say")
	}
	m.told(addr, net.JoinHostPort(master[0], master[1]), m.epoch(ctx, client))
	return nil
}

// epoch is the number of the failover that a sentinel knows of, and 0 where it does
// not say.
func (m *masters) epoch(ctx context.Context, client *redis.SentinelClient) int64 {
	about, _ := client.Master(ctx, m.node.config.Master).Result()
	epoch, _ := strconv.ParseInt(about["config-epoch"], 10, 64)
	return epoch
}

// heard reads "name oldhost oldport host port".
func (m *masters) heard(payload string) {
	f := strings.Fields(payload)
	if len(f) == 5 && f[0] == m.node.config.Master {
		m.switched(net.JoinHostPort(f[1], f[2]), net.JoinHostPort(f[3], f[4]))
	}
}
