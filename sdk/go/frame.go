package plugin

import "encoding/binary"

// frameOf appends a frame to dst. Fields that are nil are absent.
func frameOf(dst []byte, fields ...[]byte) []byte {
	n := len(fields)
	off := 8 + 8*n
	size := off
	for _, f := range fields {
		size += len(f)
	}
	le := binary.LittleEndian
	dst = le.AppendUint16(dst, 1)
	dst = le.AppendUint16(dst, uint16(n))
	dst = le.AppendUint32(dst, uint32(size))
	for _, f := range fields {
		if f == nil {
			dst = le.AppendUint64(dst, 0)
			continue
		}
		dst = le.AppendUint32(dst, uint32(off))
		dst = le.AppendUint32(dst, uint32(len(f)))
		off += len(f)
	}
	for _, f := range fields {
		dst = append(dst, f...)
	}
	return dst
}
