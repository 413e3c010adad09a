package wasm

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

func logged(level slog.Level) (*slog.Logger, *bytes.Buffer) {
	b := new(bytes.Buffer)
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})), b
}

func TestLog(t *testing.T) {
	log, out := logged(slog.LevelInfo)
	g := open(t, Options{Name: "guard", Host: Host{Log: log}}, all)
	for level, want := range []int{0, 1, 1, 1} {
		if got := g.call("log_enabled", uint64(level)); got != want {
			t.Errorf("level %d: got %d, want %d", level, got, want)
		}
	}
	for level := range uint64(5) {
		p, n := g.write(0, "hello\n")
		g.call("log", level, p, n)
	}
	want := "level=INFO msg=hello plugin=guard\nlevel=WARN msg=hello plugin=guard\n" + strings.Repeat("level=ERROR msg=hello plugin=guard\n", 2)
	if got := out.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLogLinesAreHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b[31mb\x00\x7f":  "a\uFFFD[31mb\uFFFD\uFFFD",
		"one\ntwo\r\n":        "one two",
		"tab\there":           "tab here",
		"\u202egnp.exe\u2028": "\uFFFDgnp.exe\uFFFD",
		"\xff\xfe":            "\uFFFD\uFFFD",
		"grüße 👋":             "grüße 👋",
	} {
		if got := harmless([]byte(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	got := harmless([]byte(strings.Repeat("ü", 5000)))
	if len(got) > maxLine+len("…") || !utf8.ValidString(got) || !strings.HasSuffix(got, "ü…") {
		t.Errorf("a long line became %d bytes: %q", len(got), got[len(got)-10:])
	}
}

func TestLogIsLimited(t *testing.T) {
	log, out := logged(slog.LevelInfo)
	g := open(t, Options{Host: Host{Log: log}}, all)
	g.write(0, "x")
	for range 5 * maxLines {
		g.call("log", 1, 0, 1)
	}
	lines := strings.Count(out.String(), "\n")
	if lines < maxLines || lines > 2*maxLines {
		t.Errorf("%d lines, want about %d", lines, maxLines)
	}
	if lost := g.x.plugin.imports.lost.Load(); int(lost)+lines != 5*maxLines {
		t.Errorf("%d were counted as lost, want %d", lost, 5*maxLines-lines)
	}
}

func TestOutputBecomesLines(t *testing.T) {
	log, out := logged(slog.LevelInfo)
	g := open(t, Options{Host: Host{Log: log}}, all)
	write := func(fd uint64, parts ...string) {
		t.Helper()
		at, iovs, size := uint32(1000), []byte{}, 0
		for _, p := range parts {
			g.write(at, p)
			iovs = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(iovs, at), uint32(len(p)))
			at, size = at+uint32(len(p)), size+len(p)
		}
		g.write(0, string(iovs))
		if got := g.call("fd_write", fd, 0, uint64(len(parts)), 500); got != 0 || uint32(g.int(500)) != uint32(size) {
			t.Errorf("got %d, %d bytes, want %d", got, g.int(500), size)
		}
	}
	for _, r := range "panic: no\n" {
		write(2, string(r))
	}
	write(1, "a", "b\n\nc")
	write(2, strings.Repeat("z", 3000), "\nafter\n")
	write(1, "d\n")
	write(2, "last words")
	g.x.finish(t.Context())
	g.x.finish(t.Context())
	got := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{"level=WARN msg=\"panic: no\"", "level=INFO msg=ab", "level=WARN msg=zzz", "level=WARN msg=after", "level=INFO msg=cd", "level=WARN msg=\"last words\""}
	if len(got) != len(want) {
		t.Fatalf("got %d lines, want %d:\n%s", len(got), len(want), out)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("got %.60s, want %s", got[i], want[i])
		}
		if len(got[i]) > maxLine+100 {
			t.Errorf("a line of %d bytes", len(got[i]))
		}
	}
	if got := g.call("fd_write", 3, 0, 1, 500); got != wasiBadFile {
		t.Errorf("to a file: got %d, want %d", got, wasiBadFile)
	}
}

func TestALineWithoutEndTakesLittleMemory(t *testing.T) {
	var w lineBuffer
	for range 1000 {
		w.write(bytes.Repeat([]byte("z"), 1000), func([]byte) { t.Error("a line without an end") })
	}
	if cap(w.text) > 4*maxLine {
		t.Errorf("%d bytes are kept", cap(w.text))
	}
}

func TestWithoutTheGrantNothingIsLogged(t *testing.T) {
	log, out := logged(slog.LevelDebug)
	g := open(t, Options{Host: Host{Log: log}}, Grants{})
	g.write(0, "\x08\x00\x00\x00\x02\x00\x00\x00x\n")
	if got := g.call("fd_write", 2, 0, 1, 500); got != 0 || out.Len() > 0 {
		t.Errorf("got %d, %q", got, out)
	}
}
