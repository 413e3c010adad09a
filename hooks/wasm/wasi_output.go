package wasm

import (
	"encoding/binary"
	"log/slog"
)

const (
	stdout = 1
	stderr = 2
)

// fdWrite is fd_write(fd, iovs, n, written). What a guest writes to standard
// output and standard error is logged, line by line.
func (c call) fdWrite(stack []uint64) {
	const most = 1024 // parts
	fd, n := uint32(stack[0]), uint64(uint32(stack[2]))
	if fd != stdout && fd != stderr {
		stack[0] = wasiBadFile
		return
	}
	if n > most {
		stack[0] = wasiInvalid
		return
	}
	l := slog.LevelInfo
	if fd == stderr {
		l = slog.LevelWarn
	}
	w, written := &c.x.side.output[fd-stdout], uint32(0)
	iovs := c.bytes(stack[1], n*8)
	for ; len(iovs) > 0; iovs = iovs[8:] {
		part := c.bytes(uint64(binary.LittleEndian.Uint32(iovs)), uint64(binary.LittleEndian.Uint32(iovs[4:])))
		c.chunks(part, func(b []byte) { w.write(b, func(text []byte) { c.line(l, text) }) })
		written += uint32(len(part))
	}
	c.putUint32(stack[3], written)
	stack[0] = 0
}

// fdFdstatGet is fd_fdstat_get(fd, out). Standard output and standard error are
// terminals to a C library, so that it writes whole lines.
func (c call) fdFdstatGet(stack []uint64) {
	const characterDevice, rightWrite = 2, 1 << 6
	if fd := uint32(stack[0]); fd != stdout && fd != stderr {
		stack[0] = wasiBadFile
		return
	}
	stat := c.bytes(stack[1], 24)
	clear(stat)
	stat[0], stat[8] = characterDevice, rightWrite
	stack[0] = 0
}
