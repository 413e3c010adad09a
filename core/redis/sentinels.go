package redis

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// listenToSentinels hears from the sentinels, one of them at a time, that another
// server has become the master. The library does so for the connections on which
// something is asked, and not for those on which messages come.
func (n *Node) listenToSentinels(ctx context.Context) {
	const least, most = 50 * time.Millisecond, time.Second
	pause := least
	for i := 0; ctx.Err() == nil; i++ {
		begun := time.Now()
		err := n.listenToSentinel(ctx, n.config.Sentinels[i%len(n.config.Sentinels)])
		n.log.Debug("connection to a sentinel is made anew", "err", err)
		if time.Since(begun) > most {
			pause = least
		}
		if !sleep(ctx, pause) {
			return
		}
		pause = min(2*pause, most)
	}
}

func (n *Node) listenToSentinel(ctx context.Context, addr string) error {
	o, err := n.config.options()
	if err != nil {
		return err
	}
	client := redis.NewSentinelClient(&redis.Options{
		Addr: addr, Username: o.SentinelUsername, Password: o.SentinelPassword, TLSConfig: o.TLSConfig, Dialer: o.Dialer,
		DialTimeout: dialTimeout, ReadTimeout: answer, WriteTimeout: answer, ContextTimeoutEnabled: true, MaxRetries: -1, DialerRetries: 1,
	})
	defer func() { _ = client.Close() }()
	ps := client.Subscribe(ctx, "+switch-master")
	defer func() { _ = ps.Close() }()
	heard := time.Now()
	for {
		m, err := ps.ReceiveTimeout(ctx, probeEvery)
		switch {
		case err == nil:
			heard = time.Now()
			if m, ok := m.(*redis.Message); ok {
				n.heardFromSentinel(m.Payload)
			}
			continue
		case !timedOut(err) || ctx.Err() != nil:
			return err
		case time.Since(heard) > silence:
			return errSilent
		}
		if err := ps.Ping(ctx); err != nil {
			return err
		}
	}
}

// heardFromSentinel reads "name oldhost oldport host port".
func (n *Node) heardFromSentinel(payload string) {
	f := strings.Fields(payload)
	if len(f) != 5 || f[0] != n.config.Master {
		return
	}
	n.log.Info("a failover: another Redis is the master", "was", f[1]+":"+f[2], "is", f[3]+":"+f[4])
	n.switched(fmt.Errorf("the sentinels have another master: %s:%s", f[3], f[4]))
}
