package websocket

import (
	"encoding/binary"

	"github.com/revurb/revurb/core/frame"
)

// Status codes of RFC 6455, section 7.4.1.
const (
	closeNormal      = 1000
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeInvalid     = 1007
	closeTooBig      = 1009
	closeInternal    = 1011
)

// closeReasons are the words that go with the codes that are not answers to
// the client's own.
var closeReasons = map[int]string{
	closeProtocol: "Protocol error",
	closeInvalid:  "Message is not valid UTF-8, or not validly compressed",
	closeTooBig:   "Message is too big",
	closeInternal: "Internal server error",
}

// libraryTooBig is how the library says that a message is too big once it is
// decompressed, which it takes for an internal error as it does all that can
// go wrong with decompression.
const libraryTooBig = "gws: message too large"

// closeWanted reads a close frame that the library has written. The code is 0
// if the frame has none.
func closeWanted(wire []byte) (code int) {
	payload := wire[2:]
	if len(payload) < 2 {
		return 0
	}
	code = int(binary.BigEndian.Uint16(payload))
	if code == closeInternal {
		code = closeInvalid
		if string(payload[2:]) == libraryTooBig {
			code = closeTooBig
		}
	}
	return code
}

// closeFrame is the answer to a close frame with the given code.
func closeFrame(code int) []byte {
	if code == 0 {
		return []byte{0x88, 0}
	}
	return frame.Close(code, closeReasons[code])
}
