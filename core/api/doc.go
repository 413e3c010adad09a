// Package api is the HTTP API, by which an app's backend publishes and asks.
//
// It translates requests to calls of the hub. It knows nothing of connections,
// nor of what else is served on the same port.
//
// Every request goes the same way, in api.go: what frames it, which endpoint it
// is for, which app it names, whether it is signed, and only then its body. An
// endpoint is a row in routes.go and a handler in a file of its own.
package api
