// Package api is the HTTP API, by which an app's backend publishes and asks.
//
// It translates requests to calls of the hub. It knows nothing of connections.
package api
