package config

import "fmt"

// check looks at what no key can be wrong about alone.
func (l *Loaded) check(bad *Problems) {
	l.checkTLS(bad)
	l.checkRedis(bad)
	for i := range l.Config.Apps {
		l.checkApp(i)
	}
	l.checkPlugins(bad)
}

func (l *Loaded) checkTLS(bad *Problems) {
	switch tls := l.Config.TLS; {
	case tls.Cert != "" && tls.Key == "":
		bad.add(l.Sources["tls.cert"], "tls.cert is set and tls.key is not; a certificate needs its key")
	case tls.Key != "" && tls.Cert == "":
		bad.add(l.Sources["tls.key"], "tls.key is set and tls.cert is not; a key needs its certificate")
	}
}

// checkApp warns of limits of app i that others make pointless.
func (l *Loaded) checkApp(i int) {
	a, c := l.Config.Apps[i], l.Config
	warn := func(name, format string, args ...any) {
		from := l.Sources[appKey(i, appsKey+"."+name)]
		l.Warnings = append(l.Warnings, Problem{from.place(), fmt.Sprintf(format, args...)}.String())
	}
	if a.MaxEventSize > c.API.MaxRequestSize {
		warn("max_event_size", "max_event_size is %d, but a request may have only %d bytes (api.max_request_size)", a.MaxEventSize, c.API.MaxRequestSize)
	}
	if largest := max(a.MaxEventSize, a.MaxMessageSize); largest > c.WebSocket.MaxPendingBytes {
		name := "max_event_size"
		if a.MaxMessageSize == largest {
			name = "max_message_size"
		}
		warn(name, "%s is %d, but a client that is %d bytes behind is cut off (websocket.max_pending_bytes)", name, largest, c.WebSocket.MaxPendingBytes)
	}
	if a.TLSOnly && c.TLS.Cert == "" && len(c.Server.TrustedProxies) == 0 {
		warn("tls_only", "tls_only is on, but the server has no certificate and trusts no proxy: nobody can connect")
	}
}
