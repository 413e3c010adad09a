// Package websocket serves clients over WebSockets. It is the only package of
// the server that imports a WebSocket library.
//
// It knows frames, queues and sockets; what is in a frame is the business of
// package conn.
package websocket
