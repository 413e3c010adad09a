package wasm

import (
	"bytes"
	"context"
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

// line logs a line of the plugin, and counts what that costs.
func (c call) line(l slog.Level, text []byte) {
	if c.imports.line(c.ctx, l, text) {
		c.spend(8 * maxLine) // to write it may well be slow
	}
}

// line logs a line of the plugin, unless nobody wants it or there were too many.
func (im *imports) line(ctx context.Context, l slog.Level, text []byte) bool {
	log := im.log
	if log == nil || !log.Enabled(ctx, l) {
		return false
	}
	if !im.lines.Allow() {
		im.dropped.Add(1)
		im.lost.Add(1)
		return false
	}
	if n := im.dropped.Swap(0); n > 0 {
		log = log.With("dropped", n)
	}
	log.Log(ctx, l, harmless(text))
	return true
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
