package clustertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/revurb/revurb/core/auth"
	"github.com/revurb/revurb/core/broker"
	"github.com/revurb/revurb/core/hub"
)

// channels are few, so that clients meet, and enough that some are left alone
// when something was missed that the next change would repair.
var channels = func() (all []string) {
	for i := range 24 {
		all = append(all, fmt.Sprintf("presence-%d", i))
	}
	for i := range 8 {
		all = append(all, fmt.Sprintf("public-%d", i))
	}
	return all
}()

func presence(channel string) bool { return strings.HasPrefix(channel, "presence-") }

// work has a client do things until stop is closed, or its node dies.
func (c *cluster) work(cl *client, random *rand.Rand, stop <-chan struct{}) {
	for !cl.node.dead.Load() {
		select {
		case <-stop:
			return
		default:
		}
		channel := channels[random.IntN(len(channels))]
		_, in := cl.in[channel]
		switch dice := random.IntN(100); {
		case dice < 45 && in:
			c.unsubscribe(cl, channel)
		case dice < 45:
			c.subscribe(cl, channel)
		case dice < 55 && in && presence(channel):
			c.publish(cl, channel, true)
		case dice < 99:
			c.publish(cl, channel, false)
		default:
			cl.node.hub.Disconnect(cl.node.ctx, cl.session)
			for channel := range cl.in {
				c.order.add(channel, cl)
			}
			c.connect(cl)
		}
		c.ops.Add(1)
	}
}

func (c *cluster) subscribe(cl *client, channel string) {
	sub := hub.Subscription{Channel: channel}
	if presence(channel) {
		a := cl.node.app
		sub.ChannelData = fmt.Sprintf(`{"user_id":%q}`, cl.user)
		sub.Auth = a.Key + ":" + auth.Sign(a.Secret, auth.ChannelText(cl.session.ID, channel, sub.ChannelData))
	}
	cl.expect(channel)
	if err := cl.node.hub.Subscribe(cl.node.ctx, cl.session, sub); err != nil {
		cl.forget(channel)
		if !c.away(err) && !cl.node.dead.Load() {
			c.violate("client %s cannot subscribe to %s: %v", cl.name, channel, err)
		}
		return
	}
	cl.in[channel] = c.clock.Add(1)
}

// away reports whether an error is that Redis is away, which it may be.
func (c *cluster) away(err error) bool {
	return c.trouble.Load() && errors.Is(err, broker.ErrUnavailable)
}

func (c *cluster) unsubscribe(cl *client, channel string) {
	delete(cl.in, channel)
	if err := cl.node.hub.Unsubscribe(cl.node.ctx, cl.session, channel); err != nil && !cl.node.dead.Load() {
		c.violate("client %s cannot unsubscribe from %s: %v", cl.name, channel, err)
	}
	c.order.add(channel, cl)
	cl.forget(channel)
}

// publish has a client, or the backend at its node, publish an event. Those that
// are refused may come, or not.
func (c *cluster) publish(cl *client, channel string, byClient bool) {
	e := event{id: c.clock.Add(1), channel: channel, begun: time.Now()}
	said := hub.Event{Channel: channel, Name: "client-e", Data: json.RawMessage(fmt.Sprintf("%q", fmt.Sprint(e.id)))}
	publish := func(ctx context.Context) error { return cl.node.hub.Publish(ctx, cl.node.app, said) }
	if byClient {
		e.except = cl
		publish = func(ctx context.Context) error { return cl.node.hub.ClientEvent(ctx, cl.session, said) }
	}
	err := publish(cl.node.ctx)
	if cl.node.dead.Load() {
		return // whoever waited for the answer has not read it
	}
	e.done = time.Now()
	c.current.Load().answered(e, err == nil)
}
