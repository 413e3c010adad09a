package websocket

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// refusal is the answer to a request that is no handshake for a WebSocket.
type refusal struct {
	status int
	header http.Header
	text   string
}

const howTo = "This is where WebSockets connect. Ask for one with the headers Upgrade: websocket, Connection: Upgrade, " +
	"Sec-WebSocket-Version: 13 and Sec-WebSocket-Key, as every client library does. " +
	"A proxy in between must pass them on, and must speak HTTP/1.1 to this server."

// offer is what a server says with status 426 (RFC 9110, section 15.5.22, and
// RFC 6455, section 4.4). Connection is in two lines, and close is in the first,
// as net/http looks for nothing else.
var offer = http.Header{
	"Upgrade":               {"websocket"},
	"Connection":            {"close", "Upgrade"},
	"Sec-Websocket-Version": {"13"},
}

// wantsUpgrade reports whether r asks for a WebSocket.
func wantsUpgrade(r *http.Request) bool {
	return hasToken(r.Header["Upgrade"], "websocket")
}

// checkHandshake returns nil if r is a handshake as RFC 6455, section 4.2.1
// wants it.
func checkHandshake(r *http.Request) *refusal {
	switch {
	case r.Method != http.MethodGet:
		return &refusal{http.StatusMethodNotAllowed, http.Header{"Allow": {"GET"}}, "A WebSocket is asked for with GET."}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return &refusal{http.StatusHTTPVersionNotSupported, nil, "WebSockets need HTTP/1.1, not " + r.Proto + "."}
	case !wantsUpgrade(r) || !hasToken(r.Header["Connection"], "upgrade"):
		return &refusal{http.StatusUpgradeRequired, offer, howTo}
	case strings.TrimSpace(r.Header.Get("Sec-WebSocket-Version")) != "13":
		return &refusal{http.StatusUpgradeRequired, offer, "The version of the WebSocket protocol that is spoken here is 13."}
	case !validKey(r.Header["Sec-Websocket-Key"]):
		return &refusal{http.StatusBadRequest, nil, "Sec-WebSocket-Key must be 16 bytes in base64, and must occur once."}
	case r.ContentLength != 0:
		return &refusal{http.StatusBadRequest, nil, "A request for a WebSocket has no body."}
	}
	return nil
}

// write sends the answer. The connection ends with it: nobody may take it for
// one on which a WebSocket was opened.
func (a *refusal) write(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	for name, values := range a.header {
		w.Header()[name] = values
	}
	http.Error(w, a.text, a.status)
}

func validKey(values []string) bool {
	if len(values) != 1 {
		return false
	}
	key, err := base64.StdEncoding.Strict().DecodeString(values[0])
	return err == nil && len(key) == 16
}

// hasToken reports whether a header, which may occur more than once, lists
// token, in whatever case.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}
