package conformance

// admissionCases are whom an app lets in, and how it tells the others.
var admissionCases = []Case{
	{
		ID: "CON-11", Title: "a disabled app is refused", Level: Should,
		Source:      docProtocol + ", Error codes, 4003",
		Requirement: "A client of an app that is switched off is told 4003, and the connection is closed with it.",
		Needs:       []Capability{CapDisabledApp},
		Run:         func(t *T) { t.Dial(Dialing{App: t.Fixture(Disabled)}).ExpectRefusal(4003) },
	},
	{
		ID: "CON-12", Title: "an app over its connection quota is refused", Level: Should, Serial: true,
		Source:      docProtocol + ", Error codes, 4004",
		Requirement: "Where two connections are allowed, the third is told 4004 and closed with it; the first two go on, and when one of them leaves there is room again.",
		Needs:       []Capability{CapQuotaApp},
		Run: func(t *T) {
			app := t.Fixture(Quota)
			a, b := t.vacancy(app), t.vacancy(app)
			t.Dial(Dialing{App: app}).ExpectRefusal(4004)
			channel := t.Name("")
			a.Subscribe(channel)
			b.Subscribe(channel)
			t.ExpectNothingOn(a, channel, "the first connection goes on")
			t.ExpectNothingOn(b, channel, "the second connection goes on")
			a.Close()
			t.vacancy(app)
		},
	},
	{
		ID: "CON-13", Title: "an app for TLS only is refused without", Level: Should, Reverb: May,
		Source:      docProtocol + ", Error codes, 4000; pusher-js, which then connects with TLS",
		Requirement: "A client that connects without TLS to an app that wants it is told 4000, and the connection is closed with it.",
		Needs:       []Capability{CapTLSOnly},
		Run: func(t *T) {
			d := Dialing{App: t.Fixture(TLSOnly)}
			if t.URL(d).Scheme != "ws" {
				t.Skipf("the target was given with a URL of TLS")
			}
			t.Dial(d).ExpectRefusal(4000)
		},
	},
	{
		ID: "CON-15", Title: "no handshake is refused with a code of 4200 to 4299", Level: Must, Serial: true,
		Source:      docProtocol + ", Error codes: 4200-4299 have the client reconnect immediately; pusher-js, which does so without a pause",
		Requirement: "Whatever the reason for which a connection is refused, its close code is not one that has clients come back at once: one client alone would connect hundreds of times a second.",
		Run: func(t *T) {
			refused := map[string]Dialing{
				"unknown app":         {App: Credentials{Key: t.Name("")}},
				"unsupported version": {Query: "protocol=99"},
				"malformed version":   {Query: "protocol=abc"},
				"wrong path":          {Path: "/nope/" + t.App().Key},
			}
			for _, f := range []Fixture{Disabled, TLSOnly, Quota} {
				if app, ok := t.Target.Apps[f]; ok {
					refused[string(f)] = Dialing{App: app}
				}
			}
			if app, ok := t.Target.Apps[Strict]; ok {
				refused["no version"] = Dialing{App: app, Query: "-"}
			}
			if app, ok := t.Target.Apps[Quota]; ok {
				t.vacancy(app)
				t.vacancy(app)
			}
			for why, d := range refused {
				t.neverAtOnce(why, d)
			}
		},
	},
	{
		ID: "CON-17", Title: "a server that stops says goodbye", Level: Should, Serial: true,
		Source:      docProtocol + ", Error codes, 4200; RFC 6455, section 7.4.1, 1001",
		Requirement: "When a node is told to stop, its connections get a close frame with 4200, 4100 or 1001, and new ones find nobody, or are refused with a code that has them wait.",
		Needs:       []Capability{CapNodeControl},
		Run: func(t *T) {
			node := len(t.Target.URLs) - 1
			a, b := t.ConnectTo(Dialing{Node: node}), t.ConnectTo(Dialing{Node: node})
			t.control("drain", node)
			t.Defer(func() { t.control("start", node) })
			a.ExpectClose(4200, 4100, 1001)
			b.ExpectClose(4200, 4100, 1001)
			t.neverAtOnce("a node that has stopped", Dialing{Node: node})
		},
	},
	{
		ID: "CON-23", Title: "connections that authorize nothing are closed where that is asked for", Level: Should, Timing: true,
		Source:      docConnect + "; " + docProtocol + ", Error codes, 4009",
		Requirement: "Where an app wants connections to be authorized within a time, one that is not is told 4009 and closed with it; one that has subscribed to a private channel, or has signed in, stays.",
		Needs:       []Capability{CapAuthorizedOnly},
		Run: func(t *T) {
			app := t.Fixture(AuthorizedOnly)
			private := t.ConnectTo(Dialing{App: app})
			private.Subscribe(t.Name("private-"))
			signed := t.ConnectTo(Dialing{App: app})
			if t.Target.Has(CapSignin) {
				signed.SignIn(`{"id":"` + t.Name("u-") + `"}`)
			}
			idle := t.ConnectTo(Dialing{App: app})
			idle.Subscribe(t.Name("")) // which authorizes nothing
			idle.ExpectRefusal(4009)
			private.ExpectNothing("a connection with a private channel stays")
			if t.Target.Has(CapSignin) {
				signed.ExpectNothing("a connection that has signed in stays")
			}
		},
	},
	{
		ID: "CON-26", Title: "no place stays taken by a connection that was replaced", Level: Should, Serial: true,
		Source:      "pusher-js, core/connection/connection_manager.ts: it opens the next connection before the last one is closed; " + docProtocol + ", Error codes, 4004",
		Requirement: "Where the quota is full, a client that opens its next connection before it closes the last is told 4004; as soon as the last is closed there is room for exactly one, again and again.",
		Needs:       []Capability{CapQuotaApp},
		Run: func(t *T) {
			app := t.Fixture(Quota)
			t.vacancy(app)
			last := t.vacancy(app)
			for range 10 {
				t.Dial(Dialing{App: app}).ExpectRefusal(4004)
				last.Close()
				last = t.vacancy(app)
			}
			t.Dial(Dialing{App: app}).ExpectRefusal(4004)
		},
	},
}

// vacancy connects to an app with a quota, when it has room: those who have
// left may still be counted for a moment.
func (t *T) vacancy(app Credentials) (c *Conn) {
	t.Eventually("room for another connection, now that one has left", func() bool {
		c = t.Dial(Dialing{App: app})
		c.app = app
		m := c.NextText("pusher:connection_established, or pusher:error")
		if m.Event == "pusher:error" {
			return false
		}
		c.inbox.unread([]Message{m})
		c.Establish()
		return true
	})
	return c
}

// neverAtOnce expects a connection to be refused, but not so that a client
// comes back at once.
func (t *T) neverAtOnce(why string, d Dialing) {
	c, err := t.TryDial(d)
	if err != nil {
		return // a client waits before it dials again
	}
	first := c.NextText("pusher:error, or a close frame")
	if first.Event == "pusher:connection_established" {
		t.Mismatch("a connection that is to be refused: "+why, "pusher:error, or a close frame", first.String())
	}
	c.inbox.unread([]Message{first})
	if m := c.ExpectClose(); m.Code >= 4200 && m.Code <= 4299 {
		t.Mismatch("close code of a connection that is refused: "+why, "none of 4200-4299", m.String())
	}
}

func (t *T) control(verb string, node int) {
	if t.Target.Control == nil {
		t.Skipf("the suite was not given a way to stop and start nodes")
	}
	if err := t.Target.Control(verb, node); err != nil {
		t.Errorf("%s node %d: %v", verb, node, err)
	}
}
