package websocket

import "encoding/binary"

// guard looks at the headers of the frames that a client sends, before the
// library does, for what the library lets pass:
//
//   - a length with its top bit set (RFC 6455, section 5.2), on which it panics;
//   - reserved bits when compression is negotiated (RFC 7692, section 6);
//   - fragments without end that are empty, or nearly so.
//
// The zero guard is at the beginning of a frame.
type guard struct {
	head       [10]byte // of the frame that is being read, without its mask
	have       uint8    // bytes of head
	skip       int64    // bytes of the frame after head that are still to come
	unfinished int      // bytes of the message whose last fragment is still to come
}

// Bits and values of the first two bytes of a frame.
const (
	bitFIN     = 0x80
	bitRSV1    = 0x40
	bitsRSV23  = 0x30
	bitControl = 0x08
	bitsOpcode = 0x0f
	bitMask    = 0x80
	bitsLength = 0x7f

	length16 = 126
	length64 = 127
	maskSize = 4
)

// scan is given what was read. It returns how much of it the library may see,
// and the status code to close with if that is not all.
func (g *guard) scan(p []byte, limit int) (n, code int) {
	for n < len(p) {
		if g.skip > 0 {
			step := min(g.skip, int64(len(p)-n))
			g.skip -= step
			n += int(step)
			continue
		}
		start := n
		for n < len(p) && int(g.have) < g.headSize() {
			g.head[g.have] = p[n]
			g.have++
			n++
		}
		if int(g.have) < g.headSize() {
			return n, 0
		}
		if code := g.frame(limit); code != 0 {
			return start, code
		}
	}
	return n, 0
}

func (g *guard) headSize() int {
	if g.have < 2 {
		return 2
	}
	switch g.head[1] & bitsLength {
	case length16:
		return 4
	case length64:
		return 10
	}
	return 2
}

// frame judges a frame by its header.
func (g *guard) frame(limit int) (code int) {
	length := uint64(g.head[1] & bitsLength)
	switch length {
	case length16:
		length = uint64(binary.BigEndian.Uint16(g.head[2:]))
	case length64:
		length = binary.BigEndian.Uint64(g.head[2:])
	}
	first := g.head[0]
	opcode := first & bitsOpcode
	control := opcode&bitControl != 0
	switch {
	case length>>63 != 0, first&bitsRSV23 != 0, first&bitRSV1 != 0 && (control || opcode == 0):
		return closeProtocol
	case control:
	case first&bitFIN != 0:
		g.unfinished = 0
	default:
		// An empty fragment counts, too: it has cost its header.
		if g.unfinished += int(min(max(length, 1), uint64(limit)+1)); g.unfinished > limit {
			return closeTooBig
		}
	}
	g.have = 0
	g.skip = int64(min(length, 1<<62)) // the library refuses it long before
	if g.head[1]&bitMask != 0 {
		g.skip += maskSize
	}
	return 0
}
