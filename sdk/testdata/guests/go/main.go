// Command go is the golden guest in Go: see ../../README.md.
package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"

	plugin "github.com/revurb/revurb/sdk/go"
	"github.com/revurb/revurb/sdk/go/hook/authorize"
	"github.com/revurb/revurb/sdk/go/hook/onmessage"
	"github.com/revurb/revurb/sdk/go/jsonscan"
)

func init() {
	plugin.OnConfigure(func(config []byte) error {
		if s, ok := jsonscan.String(config, "fail"); ok {
			return errors.New(string(s))
		}
		return nil
	})
	authorize.Handle(authorized)
	onmessage.Handle(message)
}

func main() {}

func authorized(e *plugin.Event) plugin.Verdict {
	switch {
	case e.Auth() == nil:
		return plugin.Continue()
	case plugin.Equal(e.Auth(), "deny"):
		return plugin.Deny("denied")
	}
	return plugin.Allow().UserID(e.Auth()).UserInfo(e.Data())
}

const minute = 60_000

func message(e *plugin.Event) plugin.Verdict {
	d := e.Data()
	switch e.EventString() {
	case "describe":
		return plugin.Replace().Data(describe(e))
	case "allow":
		return plugin.Allow()
	case "drop":
		return plugin.Drop()
	case "deny":
		return plugin.Deny(string(d))
	case "deny-code":
		code, text, _ := bytes.Cut(d, []byte(" "))
		n, _ := strconv.Atoi(string(code))
		return plugin.DenyCode(uint32(n), string(text))
	case "replace-data":
		return plugin.Replace().Data(d)
	case "replace-event":
		return plugin.Replace().Event(d)
	case "replace-all":
		s := string(d)
		return plugin.Replace().Event([]byte("event " + s)).Data([]byte("data " + s)).UserID([]byte("user " + s)).UserInfo([]byte(`{"info":"` + s + `"}`))
	case "len":
		return plugin.Replace().Data(strconv.AppendInt(nil, int64(len(d)), 10))
	case "panic":
		panic("asked to")
	case "json-string", "json-raw":
		return scan(e.EventString(), d)
	case "json-set":
		b, ok := jsonscan.Set(nil, d, "k", jsonscan.AppendString(nil, "v\"\n"))
		return found(b, ok)
	}
	return host(e.EventString(), d)
}

// host does what needs the server.
func host(op string, d []byte) plugin.Verdict {
	switch op {
	case "now":
		return plugin.Replace().Data(strconv.AppendInt(nil, plugin.Now(), 10))
	case "random":
		var b [8]byte
		plugin.Random(b[:])
		return plugin.Replace().Data(hex.AppendEncode(nil, b[:]))
	case "hmac-secret":
		var sum [32]byte
		plugin.HMACSecret(&sum, d)
		return plugin.Replace().Data(hex.AppendEncode(nil, sum[:]))
	case "hmac-key":
		var sum [32]byte
		plugin.HMAC(&sum, []byte("key"), d)
		return plugin.Replace().Data(hex.AppendEncode(nil, sum[:]))
	case "log":
		plugin.Log(plugin.LevelInfo, string(d))
	case "publish":
		channel, rest, _ := bytes.Cut(d, []byte(" "))
		event, data, _ := bytes.Cut(rest, []byte(" "))
		plugin.Publish(channel, event, data)
	case "kv-get":
		return found(plugin.KVGet(d))
	case "kv-set":
		key, value, _ := bytes.Cut(d, []byte("="))
		plugin.KVSet(key, value, minute)
	case "kv-incr":
		sum, ok := plugin.KVIncr(d, 2, minute)
		return found(strconv.AppendInt(nil, sum, 10), ok)
	case "kv-del":
		plugin.KVDel(d)
	case "config":
		return found(plugin.Config(string(d)))
	case "ctx":
		return found(plugin.Context(int(d[0] - '0')))
	}
	return plugin.Continue()
}

func found(b []byte, ok bool) plugin.Verdict {
	if !ok {
		return plugin.Deny("not found")
	}
	return plugin.Replace().Data(b)
}

func scan(op string, d []byte) plugin.Verdict {
	keys, doc, _ := bytes.Cut(d, []byte("\n"))
	var path []string
	for key := range bytes.SplitSeq(keys, []byte(".")) {
		path = append(path, string(key))
	}
	if op == "json-string" {
		return found(jsonscan.String(doc, path...))
	}
	return found(jsonscan.Raw(doc, path...))
}

func describe(e *plugin.Event) []byte {
	var b []byte
	for _, f := range [][]byte{e.App(), e.Channel(), e.SocketID(), e.UserID(), e.Event(), e.Data(), e.Auth()} {
		if f == nil {
			b = append(b, '-')
		} else {
			b = append(append(b, '='), f...)
		}
		b = append(b, '|')
	}
	return strconv.AppendUint(b, e.Flags(), 10)
}
