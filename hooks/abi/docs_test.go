package abi_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/revurb/revurb/hooks/abi"
)

// docs/abi.md is what strangers write guests by, so what is on it is compared
// with the constants of this package.

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/abi.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// table returns the first two cells of each row of the table that follows text.
func table(t *testing.T, text string) (rows [][2]string) {
	t.Helper()
	_, rest, ok := strings.Cut(page(t), text)
	if !ok {
		t.Fatalf("docs/abi.md has no %q", text)
	}
	in := false
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			if in {
				break
			}
			continue
		}
		in = true
		cells := strings.Split(line, "|")
		rows = append(rows, [2]string{strings.Trim(cells[1], " `"), strings.Trim(cells[2], " `")})
	}
	if len(rows) < 3 {
		t.Fatalf("docs/abi.md has no table after %q", text)
	}
	return rows[2:] // without the header
}

func compare(t *testing.T, text string, want [][2]string) {
	t.Helper()
	if got := table(t, text); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the table after %q:\n got %v\nwant %v", text, got, want)
	}
}

func numbered[T comparable](names map[T]string, order ...T) (rows [][2]string) {
	for _, n := range order {
		rows = append(rows, [2]string{fmt.Sprint(n), names[n]})
	}
	return rows
}

func TestDocsHaveTheHooks(t *testing.T) {
	var want [][2]string
	for h := range abi.Hooks {
		want = append(want, [2]string{h.String(), h.Export()})
	}
	compare(t, "## Hooks", want)
}

func TestDocsHaveTheNumbers(t *testing.T) {
	compare(t, "### Requests", numbered(map[int]string{
		abi.App: "app", abi.Channel: "channel", abi.SocketID: "socket_id", abi.UserID: "user_id",
		abi.Event: "event", abi.Data: "data", abi.Auth: "auth", abi.Flags: "flags",
	}, 0, 1, 2, 3, 4, 5, 6, 7))
	compare(t, "| 7 | flags |", numbered(map[uint64]string{
		abi.FromAPI: "from_api", abi.InBatch: "in_batch", abi.CacheEvent: "cache_event", abi.Unsigned: "unsigned", abi.Came: "came",
	}, 1, 2, 4, 8, 16))
	compare(t, "the lower 32 are a status:", numbered(map[int]string{
		0: abi.Continue.String(), 1: abi.Allow.String(), 2: abi.Deny.String(), 3: abi.Replace.String(), 4: abi.Drop.String(),
	}, 0, 1, 2, 3, 4))
	compare(t, "the response, and the lower 32 its length:", numbered(map[int]string{
		abi.ResponseStatus: "status", abi.ResponseCode: "code", abi.ResponseMessage: "message", abi.ResponseChannel: "channel",
		abi.ResponseEvent: "event", abi.ResponseData: "data", abi.ResponseUserID: "user_id", abi.ResponseUserInfo: "user_info",
	}, 0, 1, 2, 3, 4, 5, 6, 7))
	compare(t, "### Configuration", numbered(map[int]string{
		abi.ConfigJSON: "config", abi.ConfigApps: "apps", abi.ConfigHost: "host",
	}, 0, 1, 2))
	compare(t, "and then writes nothing. An address", numbered(map[int]string{
		abi.ErrNotFound: "not found", abi.ErrDenied: "denied", abi.ErrArgument: "bad argument",
		abi.ErrQuota: "quota exceeded", abi.ErrTimeout: "timeout", abi.ErrTooLarge: "too large",
	}, -1, -2, -3, -4, -5, -6))
	compare(t, "The fields of `ctx_get`:", numbered(map[int]string{
		abi.CtxOrigin: "origin", abi.CtxRemoteIP: "remote_ip", abi.CtxQuery: "query", abi.CtxUserInfo: "user_info", abi.CtxSubscribers: "subscribers",
	}, 0, 1, 2, 3, 4))
}

func TestDocsHaveTheBytes(t *testing.T) {
	for i, want := range [][]byte{
		abi.Append(nil, []byte("a"), []byte("c"), nil, nil, []byte("hi"), []byte("x"), nil, nil),
		abi.Append(nil, abi.Int(uint64(abi.Deny)), nil, []byte("no")),
	} {
		block := strings.Split(page(t), "```hex\n")[i+1]
		block, _, _ = strings.Cut(block, "```")
		got, err := hex.DecodeString(strings.Join(strings.Fields(block), ""))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("frame %d of docs/abi.md:\n got %x\nwant %x", i, got, want)
		}
		if length := fmt.Sprintf("%d bytes", len(want)); !strings.Contains(page(t), length) {
			t.Errorf("docs/abi.md does not say that frame %d has %s", i, length)
		}
	}
}
