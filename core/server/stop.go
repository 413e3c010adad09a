package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/revurb/revurb/core/hub"
	"github.com/revurb/revurb/core/protocol"
)

// Summary is what there is to say of a server that has stopped.
type Summary struct {
	Disconnected int // clients who were connected, and were told to go
}

const (
	// farewell is how long clients may take to go, beyond the time that they
	// have to answer a close frame.
	farewell = time.Second

	// look is how often the hub is asked for clients who came late.
	look = 50 * time.Millisecond
)

// stop refuses new clients and lets go of those that there are.
//
// Who comes from now on finds nobody listening, and tries again after a while;
// if he were let in and told to reconnect immediately, he would, forever. Those
// who are here are told just that, for there is, or will be, another server;
// but not all of them at once.
func (s *Server) stop(ctx context.Context) Summary {
	ctx = context.WithoutCancel(ctx)
	s.stopping.Store(true)
	s.gate.close()

	c := s.config
	var shutdown sync.WaitGroup
	shutdown.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, 2*c.Server.RequestTimeout)
		defer cancel()
		s.shutdown(ctx)
	})
	var sum Summary
	start := time.Now()
	patience := c.Server.DrainTimeout + c.WebSocket.CloseTimeout + farewell
	defer s.tellOthers(ctx, start.Add(patience))
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		// Those who were on their way in when the gate was closed come late.
		sum.Disconnected += s.dismiss(start.Add(c.Server.DrainTimeout))
		select {
		case <-s.gate.empty: // and each has left what he was in
			shutdown.Wait()
			return sum
		case <-timeout.C:
			s.log.Warn("clients have not gone in time", "connections", s.gate.count())
			shutdown.Wait()
			return sum
		case <-time.After(look):
		}
	}
}

// tellOthers tells plugins, and sends the webhooks, of what is left, those who
// have gone among it. It takes what is left of the time that clients had to go, or a little more.
func (s *Server) tellOthers(ctx context.Context, deadline time.Time) {
	if least := time.Now().Add(farewell); deadline.Before(least) {
		deadline = least
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	if err := s.hub.Settle(ctx); err != nil {
		s.log.Error("some webhooks are missing", "err", err)
	}
	if err := s.loader.Close(ctx); err != nil {
		s.log.Warn("stopped with plugins at work", "err", err)
	}
	if err := s.hooks.Close(ctx); err != nil {
		s.log.Warn("stopped with webhooks to send", "err", err)
	}
}

// dismiss ends all sessions, the first at once and the others evenly until the
// deadline. It returns how many it has ended, and when it is done or everyone
// has gone.
func (s *Server) dismiss(deadline time.Time) (ended int) {
	sessions := slices.DeleteFunc(slices.Collect(s.hub.EachSession), (*hub.Session).Ended)
	if len(sessions) == 0 {
		return 0
	}
	start := time.Now()
	pause := max(0, deadline.Sub(start)) / time.Duration(len(sessions))
	for i, session := range sessions {
		if !s.sleepUntil(start.Add(time.Duration(i) * pause)) {
			return ended
		}
		if session.Ended() {
			continue // he has gone by himself
		}
		session.End(protocol.ErrShutdown, protocol.ErrShutdown.Code)
		ended++
	}
	return ended
}

// sleepUntil reports whether anyone is left at t.
func (s *Server) sleepUntil(t time.Time) bool {
	wait := time.Until(t)
	if wait < time.Millisecond { // what is less than that is made up for later
		return true
	}
	select {
	case <-time.After(wait):
		return true
	case <-s.gate.empty:
		return false
	}
}
