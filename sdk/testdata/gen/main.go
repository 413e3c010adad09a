// Command gen writes the golden vectors to standard output:
//
//	go run ./sdk/testdata/gen > sdk/testdata/vectors.json
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/revurb/revurb/hooks/abi"
	"github.com/revurb/revurb/sdk/sdktest"
)

func main() {
	enc := json.NewEncoder(os.Stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(vectors()); err != nil {
		fmt.Fprintln(os.Stderr, "write vectors:", err)
		os.Exit(1)
	}
}

type (
	vector = sdktest.Vector
	want   = sdktest.Want
	text   = map[string]string
)

func b(s string) []byte { return []byte(s) }

// op is a message that makes the golden guest do something.
func op(name, event, data string, w want) vector {
	return vector{Name: name, Export: "on_message", Frame: abi.Append(nil, b("app"), b("room"), b("1.2"), nil, b(event), b(data), nil, abi.Int(0)), Want: w}
}

func data(s string) want { return want{Status: 3, Fields: text{"5": s}} }

func deny(s string) want { return want{Status: 2, Fields: text{"2": s}} }

func mac(key, msg string) string {
	m := hmac.New(sha256.New, b(key))
	m.Write(b(msg))
	return hex.EncodeToString(m.Sum(nil))
}

func vectors() []vector {
	vs := []vector{
		{Name: "describe: all fields", Export: "on_message", Frame: abi.Append(nil, b("app"), b("room"), b("1.2"), b("u1"), b("describe"), b("hi"), b("tok"), abi.Int(5)), Want: data("=app|=room|=1.2|=u1|=describe|=hi|=tok|5")},
		{Name: "describe: absent is not empty", Export: "on_message", Frame: abi.Append(nil, nil, b(""), nil, b(""), b("describe"), nil, b(""), nil), Want: data("-|=|-|=|=describe|-|=|0")},
		{Name: "describe: fields that the frame does not have", Export: "on_message", Frame: abi.Append(nil, b("a"), b("c"), nil, nil, b("describe")), Want: data("=a|=c|-|-|=describe|-|-|0")},
		{Name: "describe: fields of later versions", Export: "on_message", Frame: abi.Append(nil, b("a"), nil, nil, nil, b("describe"), nil, nil, abi.Int(1<<40), b("later"), b("still later")), Want: data("=a|-|-|-|=describe|-|-|1099511627776")},
		{Name: "describe: UTF-8", Export: "on_message", Frame: abi.Append(nil, b("ä"), b("日本"), nil, nil, b("describe"), b("😀\x00z")), Want: data("=ä|=日本|-|-|=describe|=😀\x00z|-|0")},
		{Name: "an empty frame", Export: "on_message", Frame: abi.Append(nil), Want: want{}},
		op("an unknown event", "nothing of the kind", "x", want{}),
		op("continue", "continue", "", want{}),
		op("allow", "allow", "", want{Status: 1}),
		op("drop", "drop", "", want{Status: 4}),
		op("deny", "deny", "no, ü", deny("no, ü")),
		op("deny with a code", "deny-code", "4301 not now", want{Status: 2, Code: 4301, Fields: text{"2": "not now"}}),
		op("replace data", "replace-data", "new", data("new")),
		op("replace data with nothing", "replace-data", "", data("")),
		op("replace the event", "replace-event", "news", want{Status: 3, Fields: text{"4": "news"}}),
		op("replace every field", "replace-all", "D", want{Status: 3, Fields: text{"4": "event D", "5": "data D", "6": "user D", "7": `{"info":"D"}`}}),
		op("a large frame", "len", strings.Repeat("x", 70_000), data("70000")),
		op("a large response", "replace-data", strings.Repeat("é", 40_000), data(strings.Repeat("é", 40_000))),
		op("now", "now", "", data("1767225600123")),
		op("random", "random", "", data("0001020304050607")),
		op("hmac with the app's secret", "hmac-secret", "message", data(mac(sdktest.Secret, "message"))),
		op("hmac with a key", "hmac-key", "message", data(mac("key", "message"))),
		op("log", "log", "line ✓", want{Log: []string{"1 line ✓"}}),
		op("publish", "publish", "a-channel an-event some data", want{Publish: [][]string{{"a-channel", "an-event", "some data"}}}),
		op("kv get of nothing", "kv-get", "k", deny("not found")),
		op("kv set", "kv-set", "k=v=w", want{KV: text{"k": "v=w"}}),
		op("config get of nothing", "config", "k", deny("not found")),
		op("ctx get of nothing", "ctx", "0", deny("not found")),
		op("panic", "panic", "", want{Trap: true}),
		{Name: "authorize without auth", Export: "authorize", Frame: abi.Append(nil, b("app"), b("private-a"), b("1.2")), Want: want{}},
		{Name: "authorize denied", Export: "authorize", Frame: abi.Append(nil, b("app"), b("private-a"), b("1.2"), nil, nil, nil, b("deny")), Want: deny("denied")},
		{Name: "authorize a member", Export: "authorize", Frame: abi.Append(nil, b("app"), b("presence-a"), b("1.2"), nil, nil, b(`{"n":1}`), b("u7"), abi.Int(abi.Unsigned)), Want: want{Status: 1, Fields: text{"6": "u7", "7": `{"n":1}`}}},
		{Name: "configure", Export: "configure", Frame: abi.Append(nil, b(`{}`), b(`["*"]`), b("1.0.0")), Want: want{}},
		{Name: "configure fails", Export: "configure", Frame: abi.Append(nil, b(`{"fail":"give \"x\""}`), b(`["*"]`), b("1.0.0")), Want: deny(`give "x"`)},
	}
	with := func(v vector, change func(*vector)) { change(&v); vs = append(vs, v) }
	with(op("kv get", "kv-get", "k", data("v")), func(v *vector) { v.KV = text{"k": "v"}; v.Want.KV = v.KV })
	with(op("kv get of a long value", "kv-get", "k", data(strings.Repeat("v", 5000))), func(v *vector) { v.KV = text{"k": strings.Repeat("v", 5000)}; v.Want.KV = v.KV })
	with(op("kv del", "kv-del", "k", want{KV: text{}}), func(v *vector) { v.KV = text{"k": "v"} })
	with(op("kv incr from 0", "kv-incr", "n", data("2")), func(v *vector) { v.Want.KV = text{"n": "2"} })
	with(op("kv incr", "kv-incr", "n", data("-3")), func(v *vector) { v.KV = text{"n": "-5"}; v.Want.KV = text{"n": "-3"} })
	with(op("config get", "config", "k", data("v")), func(v *vector) { v.Config = text{"k": "v"} })
	with(op("config get of an empty value", "config", "k", data("")), func(v *vector) { v.Config = text{"k": ""} })
	with(op("ctx get", "ctx", "1", data("192.0.2.1")), func(v *vector) { v.Ctx = text{"0": "o", "1": "192.0.2.1"} })
	with(op("ctx get of a value that is larger than the buffer", "ctx", "2", data(strings.Repeat("q", 9000))), func(v *vector) { v.Ctx = text{"2": strings.Repeat("q", 9000)} })
	return append(vs, scans()...)
}

// scans are the vectors of the JSON scanner. The path of keys comes first, then
// the document, with a line feed between them.
func scans() []vector {
	var vs []vector
	str := func(name, path, doc string, w want) {
		vs = append(vs, op("json string: "+name, "json-string", path+"\n"+doc, w))
	}
	none := deny("not found")
	str("plain", "a", `{"a":"x"}`, data("x"))
	str("empty", "a", `{"a":""}`, data(""))
	str("white space", "a", " { \"b\" : 1 ,\t\"a\" :\r\"x\" } ", data("x"))
	str("escapes", "a", `{"a":"q\"b\\s\/n\nt\tr\rb\bf\f"}`, data("q\"b\\s/n\nt\tr\rb\bf\f"))
	str("unicode", "a", `{"a":"\u00e9\ud83d\ude00日"}`, data("é😀日"))
	str("half a surrogate pair", "a", `{"a":"x\ud83dy"}`, data("x\ufffdy"))
	str("nested", "a.b", `{"b":"no","a":{"c":["b","}"],"b":"yes"}}`, data("yes"))
	str("a key inside a value", "a", `{"x":"\"a\":\"no\"","y":{"a":"no"},"a":"yes"}`, data("yes"))
	str("a key with an escape", "a", `{"\u0061":"x"}`, data("x"))
	str("the last of two counts", "a", `{"a":"first","a":"last"}`, data("last"))
	str("a number", "a", `{"a":1}`, none)
	str("no such key", "a", `{"aa":"x"}`, none)
	str("an array", "a", `["a","x"]`, none)
	str("cut off", "a", `{"a":"x"`, none)
	str("nothing", "a", ``, none)
	raw := func(name, path, doc string, w want) {
		vs = append(vs, op("json raw: "+name, "json-raw", path+"\n"+doc, w))
	}
	raw("an object", "a", `{"a": {"b":[1,"]}"]} ,"c":1}`, data(`{"b":[1,"]}"]}`))
	raw("a number", "a", `{"a":-1.5e3}`, data("-1.5e3"))
	raw("null", "a", `{"a":null}`, data("null"))
	raw("a string", "a", `{"a":"x\n"}`, data(`"x\n"`))
	raw("broken", "a", `{"a":{]}`, none)
	// json-set sets the key "k" to the string "v\"" followed by a line feed.
	set := func(name, doc string, w want) { vs = append(vs, op("json set: "+name, "json-set", doc, w)) }
	set("replaces", `{"a":1,"k":{"x":[1]},"b":2}`, data(`{"a":1,"k":"v\"\n","b":2}`))
	set("appends", `{"a":1}`, data(`{"a":1,"k":"v\"\n"}`))
	set("appends to nothing", `{ }`, data(`{ "k":"v\"\n"}`))
	set("no object", `[1]`, none)
	return vs
}
