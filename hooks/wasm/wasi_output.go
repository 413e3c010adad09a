package wasm

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
)

const (
	stdout = 1
	stderr = 2
)

// outputLevels is how standard output and standard error are logged.
var outputLevels = [2]slog.Level{slog.LevelInfo, slog.LevelWarn}

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
	l, w, written := outputLevels[fd-stdout], &c.x.side.output[fd-stdout], uint32(0)
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

// finish logs what an instance has written last without ending the line. It is
// for one that is about to be closed: the last words tell why.
func (x *instance) finish(ctx context.Context) {
	for i := range x.side.output {
		if w := &x.side.output[i]; len(w.text) > 0 {
			x.plugin.imports.line(ctx, outputLevels[i], w.text)
			w.text = w.text[:0]
		}
	}
}

// lineBuffer makes lines of what a guest writes in small pieces.
type lineBuffer struct{ text []byte }

// write calls line with each line that b ends, and with the beginning of one
// that is too long; the rest of that is lost.
func (w *lineBuffer) write(b []byte, line func([]byte)) {
	for len(b) > 0 {
		part, rest, ended := bytes.Cut(b, []byte{'\n'})
		w.text = append(w.text, part[:min(len(part), maxLine+1-len(w.text))]...)
		if ended {
			if len(w.text) > 0 {
				line(w.text)
			}
			w.text = w.text[:0]
		}
		b = rest
	}
}
