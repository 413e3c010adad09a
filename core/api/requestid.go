package api

import (
	"crypto/rand"
	"encoding/hex"
)

const headerRequestID = "X-Request-Id"

// maxRequestID is how long the ID may be that a client or a proxy gave a
// request.
const maxRequestID = 128

// requestID returns the ID that came with a request, or a new one if that could
// not be written to a log or a header as it is.
func requestID(sent string) string {
	if saneID(sent) {
		return sent
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func saneID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch b := id[i]; {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9':
		case b == '-', b == '_', b == '.', b == ':', b == '/', b == '=', b == '+':
		default:
			return false
		}
	}
	return true
}
