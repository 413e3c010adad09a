package wasm

import (
	"bytes"
	"log/slog"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxLine  = 1 << 10 // bytes of a line
	maxLines = 100     // a second, of all instances of a plugin
)

// levels are what the numbers of the import log mean.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// level returns the level with the given number; one beyond the last is the last.
func level(n uint64) slog.Level { return levels[min(uint64(uint32(n)), uint64(len(levels)-1))] }

// log is log(level, ptr, len).
func (c call) log(stack []uint64) {
	text := c.bytes(stack[1], stack[2])
	c.line(level(stack[0]), text)
}

// logEnabled is log_enabled(level).
func (c call) logEnabled(stack []uint64) {
	enabled := c.imports.log != nil && c.imports.log.Enabled(c.ctx, level(stack[0]))
	stack[0] = 0
	if enabled {
		stack[0] = 1
	}
}

// line logs a line of the plugin, unless there were too many.
func (c call) line(l slog.Level, text []byte) {
	log := c.imports.log
	if log == nil || !log.Enabled(c.ctx, l) {
		return
	}
	if !c.lines.Allow() {
		c.dropped.Add(1)
		c.lost.Add(1)
		return
	}
	c.spend(maxLine * 8) // to write it may well be slow
	if n := c.dropped.Swap(0); n > 0 {
		log = log.With("dropped", n)
	}
	log.Log(c.ctx, l, harmless(text))
}

// harmless makes text one line that a terminal shows as it is.
func harmless(text []byte) string {
	text = bytes.TrimRight(text, "\r\n")
	end := ""
	if len(text) > maxLine {
		cut := maxLine
		for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
			cut--
		}
		text, end = text[:cut], "…"
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t', r == '\n', r == '\r':
			return ' '
		case !unicode.IsGraphic(r): // U+202E turns a line around; ESC does much
			return utf8.RuneError
		}
		return r
	}, string(text)) + end
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
