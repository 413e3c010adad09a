package listen

import (
	"bytes"
	"errors"
	"io"
	"net"
)

// Strictly reads b through Strict, in pieces of size bytes, and returns how many
// passed.
func Strictly(b []byte, size int) (int, error) {
	c := &strictConn{Conn: readOnly{r: bytes.NewReader(b)}}
	buf, passed := make([]byte, size), 0
	for {
		n, err := c.Read(buf)
		passed += n
		switch {
		case errors.Is(err, io.EOF):
			return passed, nil
		case err != nil:
			return passed, err
		}
	}
}

type readOnly struct {
	net.Conn
	r io.Reader
}

func (r readOnly) Read(b []byte) (int, error) { return r.r.Read(b) }
