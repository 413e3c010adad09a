package client

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// deflateTail is what a compressed message lacks at its end (RFC 7692, section
// 7.2.1), and a last block, so that a reader finds the end.
const deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// maxInflated is how large a message of a server may be once it is inflated.
const maxInflated = 64 << 20

// Deflate compresses a message with a window of its own.
func Deflate(message []byte) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for unknown levels only
	_, _ = w.Write(message)                            // a bytes.Buffer does not fail
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte(deflateTail[:4]))
}

// Inflater decompresses the messages of a server, one after the other.
type Inflater struct {
	takeover bool   // messages refer to those before them
	window   []byte // the last 32 KiB, if so
}

// NewInflater returns what decompresses the messages of a server that has
// answered the handshake with header, or nil if it compresses none.
func NewInflater(header http.Header) *Inflater {
	agreed := strings.Join(header.Values("Sec-WebSocket-Extensions"), ",")
	if !strings.Contains(agreed, "permessage-deflate") {
		return nil
	}
	return &Inflater{takeover: !strings.Contains(agreed, "server_no_context_takeover")}
}

// Inflate returns the message that is compressed in payload.
func (i *Inflater) Inflate(payload []byte) ([]byte, error) {
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), strings.NewReader(deflateTail)), i.window)
	message, err := io.ReadAll(io.LimitReader(r, maxInflated))
	if err != nil {
		return nil, fmt.Errorf("inflate: %w", err)
	}
	if len(message) == maxInflated {
		return nil, errors.New("inflate: the message has no end")
	}
	if i.takeover {
		i.window = append(i.window, message...)
		i.window = i.window[max(0, len(i.window)-32<<10):]
	}
	return message, nil
}
