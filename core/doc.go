// Package core holds the packages of the server. They stand on floors: a
// package imports only what is below it (TestFloors has the list).
//
//	server     puts the parts together, starts and stops them
//	config     reads revurb.toml               (knadh/koanf)
//	websocket  carries frames                  (lxzan/gws)
//	conn       a client's connection | api     the HTTP API
//	hub        what the server does
//	broker     between nodes | presence  who is there | cache  what came last
//	app        tenants | channel  one channel and its subscribers
//	protocol   the wire's vocabulary | frame  encoded once | auth  signatures
//	metrics    (prometheus/client_golang) | limit (golang.org/x/time) | wheel
//
// A client's message goes up on the left and comes down on the right:
// websocket → conn → hub → broker → hub → channel → websocket.
package core
