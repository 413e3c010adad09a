package mutants

// recode has close frames of the server come with another code.
func recode(from, to int) hook {
	return func(_ *link, f frame) []frame {
		if f.closeCode() == from {
			f = f.withCode(to)
		}
		return pass(f)
	}
}

func controlMutants() []mutant {
	return []mutant{
		{
			name: "control-fragmented", bug: "control frames may be fragmented",
			killedBy: []string{"rfc6455.fragment.ping", "rfc6455.fragment.pong", "rfc6455.fragment.close"},
			up: func(l *link, f frame) []frame {
				if f.control() && !f.fin {
					l.note("rest", "drop")
					f.fin, f.raw = true, nil
					return pass(f)
				}
				if f.opcode == opContinuation && l.note("rest", "") == "drop" {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "control-long", bug: "control frames may be longer than 125 bytes",
			killedBy: []string{"rfc6455.ping.126", "rfc6455.pong.126", "rfc6455.close.126"},
			up: func(_ *link, f frame) []frame {
				if f.control() && len(f.payload) > 125 {
					f = f.with(string(f.payload[:125]))
				}
				return pass(f)
			},
		},
		{
			name: "ping-unanswered", bug: "pings are not answered",
			killedBy: []string{"rfc6455.ping.empty", "rfc6455.ping.text", "rfc6455.ping.burst", "rfc6455.pong.then-ping", "HB-03"},
			also:     []string{"rfc6455.ping.binary", "rfc6455.ping.burst-octets"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opPing && f.fin && len(f.payload) < 126 {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "ping-payload", bug: "the answer to a ping is always empty",
			killedBy: []string{"rfc6455.ping.text", "rfc6455.ping.binary", "rfc6455.ping.125", "rfc6455.ping.125-octets", "rfc6455.ping.burst*", "HB-03"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opPong {
					f = f.with("")
				}
				return pass(f)
			},
		},
		{
			name: "pong-answered", bug: "a pong is answered with a pong",
			killedBy: []string{"rfc6455.pong.unsolicited", "rfc6455.pong.unsolicited-empty", "rfc6455.pong.then-ping"},
			up: func(_ *link, f frame) []frame {
				if f.opcode == opPong {
					f.opcode, f.raw = opPing, nil
				}
				return pass(f)
			},
		},
		{
			name: "ping-waits", bug: "a ping between fragments is answered only after the message",
			killedBy: []string{"rfc6455.fragment.ping-between", "rfc6455.fragment.pings-between"},
			up: func(l *link, f frame) []frame {
				inside := l.inFragments(f)
				if inside && f.opcode == opPing {
					l.note("held", string(f.payload))
					return nil
				}
				out := pass(f)
				if held := l.note("held", ""); f.fin && !f.control() && held != "" {
					out = append(out, frame{fin: true, opcode: opPing, masked: true, payload: []byte(held)})
				}
				return out
			},
		},
		{
			name: "ping-breaks-fragments", bug: "a control frame ends the message that it comes in the middle of",
			killedBy: []string{"rfc6455.fragment.pong-between", "rfc6455.deflate.ping-between"},
			also:     []string{"rfc6455.fragment.pings-between"},
			up: func(l *link, f frame) []frame {
				if l.inFragments(f) && f.control() && f.opcode != opClose {
					return []frame{{fin: true, opcode: opContinuation, masked: true}, f}
				}
				return pass(f)
			},
		},
		{
			name: "close-wrong-code", bug: "protocol errors are reported as a normal closure",
			killedBy: []string{"rfc6455.rsv.*", "rfc6455.opcode.*", "rfc6455.mask.none-*", "rfc6455.close.tells-why"},
			also:     []string{"rfc6455.close.invalid-65535", "rfc6455.fragment.ping"},
			down:     recode(1002, 1000),
		},
		{
			name: "close-wrong-code-text", bug: "bad text is reported as a normal closure",
			killedBy: []string{"rfc6455.utf8.overlong-*", "rfc6455.close.tells-why-text", "rfc6455.deflate.garbage"},
			also:     []string{"rfc6455.deflate.invalid-utf8", "rfc6455.utf8.beyond-10ffff", "rfc6455.utf8.surrogate-pair"},
			down:     recode(1007, 1000),
		},
		{
			name: "close-unanswered", bug: "a close frame is answered with the end of the connection",
			killedBy: []string{
				"rfc6455.close.empty", "rfc6455.close.code", "rfc6455.close.reason", "rfc6455.close.125", "rfc6455.close.after-message",
				"rfc6455.close.valid-*", "rfc6455.close.echo", "rfc6455.close.ends-tcp", "rfc6455.close.twice", "rfc6455.fragment.close-between",
			},
			also: []string{"rfc6455.close.nothing-after", "rfc6455.close.tells-why-text"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return nil
				}
				return pass(f)
			},
		},
		{
			name: "close-no-echo", bug: "the answer to a close frame is always 1000",
			killedBy: []string{"rfc6455.close.echo"},
			down:     recode(4123, 1000),
		},
		{
			name: "close-any-code", bug: "any code in a close frame will do, and half of one",
			killedBy: []string{"rfc6455.close.invalid-*", "rfc6455.close.1-byte"},
			up: func(_ *link, f frame) []frame {
				if c := f.closeCode(); f.opcode == opClose && len(f.payload) > 0 && (c < 1000 || c > 1003 && c < 1007 || c > 1011 && c < 3000 || c > 4999) {
					f = f.with("\x03\xe8")
				}
				return pass(f)
			},
		},
		{
			name: "close-few-codes", bug: "only 1000 is known as a code",
			killedBy: []string{"rfc6455.close.valid-1001", "rfc6455.close.valid-1011", "rfc6455.close.valid-3000", "rfc6455.close.valid-3999", "rfc6455.close.valid-4000", "rfc6455.close.valid-4999"},
			also:     []string{"rfc6455.close.valid-1010"},
			up: func(_ *link, f frame) []frame {
				if c := f.closeCode(); c > 1000 {
					f = f.withCode(1006)
				}
				return pass(f)
			},
		},
		{
			name: "close-goes-on", bug: "what comes after a close frame is still answered",
			killedBy: []string{"rfc6455.close.nothing-after", "rfc6455.close.ends-tcp", "rfc6455.close.twice"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return []frame{f, {fin: true, opcode: opText, payload: []byte(`{"event":"pusher:pong","data":"{}"}`)}}
				}
				return pass(f)
			},
		},
		{
			name: "close-twice", bug: "two close frames are sent",
			killedBy: []string{"rfc6455.close.twice", "rfc6455.close.ends-tcp", "rfc6455.close.nothing-after"},
			down: func(_ *link, f frame) []frame {
				if f.opcode == opClose {
					return []frame{f, f}
				}
				return pass(f)
			},
		},
		{
			name: "close-leaves-tcp", bug: "after the close frames it is the client that must end the TCP connection",
			killedBy: []string{"rfc6455.close.ends-tcp", "rfc6455.close.nothing-after", "rfc6455.close.twice"},
			down: func(l *link, f frame) []frame {
				if f.opcode != opClose {
					return pass(f)
				}
				_ = l.send(l.client, 0, f.bytes())
				<-l.gone
				return nil
			},
		},
		{
			name: "gone-unnoticed", bug: "that a client has gone without a close frame is not noticed",
			killedBy: []string{"rfc6455.close.without", "rfc6455.length.cut-off"},
			keep:     true,
		},
	}
}
