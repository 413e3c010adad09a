package protocol_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/revurb/revurb/core/protocol"
)

func TestDecode(t *testing.T) {
	tests := []struct {
		name, frame          string
		event, channel, data string
	}{
		{"an object", `{"event":"pusher:ping","data":{}}`, "pusher:ping", "", `{}`},
		{"spaces, as the Java client sends", `{"event": "pusher:ping"}`, "pusher:ping", "", ``},
		{"data is kept byte for byte", `{"data": {"a" : 1.0e3} ,"event":"e"}`, "e", "", `{"a" : 1.0e3}`},
		{"data may be a string", `{"event":"e","data":"\u00e9"}`, "e", "", `"\u00e9"`},
		{"data may be null", `{"event":"e","data":null}`, "e", "", `null`},
		{"a channel", `{"event":"e","channel":"private-a"}`, "e", "private-a", ``},
		{"a channel that is null is none", `{"event":"e","channel":null}`, "e", "", ``},
		{"escapes in a key", `{"\u0065vent":"e"}`, "e", "", ``},
		{"keys are matched exactly", `{"Event":"no","event":"e","DATA":1}`, "e", "", ``},
		{"other keys are passed over", `{"event":"e","x":[1,{"y":[]}]}`, "e", "", ``},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := protocol.Decode([]byte(tt.frame))
			if err != nil {
				t.Fatal(err)
			}
			if m.Event != tt.event || m.Channel != tt.channel || string(m.Data) != tt.data {
				t.Errorf("got %q %q %s, want %q %q %s", m.Event, m.Channel, m.Data, tt.event, tt.channel, tt.data)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	deep := strings.Repeat("[", 1_000_000)
	tests := []struct{ name, frame, err string }{
		{"nothing", ``, "not a JSON object"},
		{"words", `not json`, "not a JSON object"},
		{"an array", `[]`, "not a JSON object"},
		{"a number", `1`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"no event", `{}`, "no event"},
		{"an event that is empty", `{"event":""}`, "no event"},
		{"an event that is a number", `{"event":5}`, "not a string"},
		{"an event that is null", `{"event":null}`, "not a string"},
		{"a channel that is a number", `{"event":"e","channel":5}`, "not a string"},
		{"the same key twice", `{"event":"e","channel":"a","channel":"b"}`, "occurs twice"},
		{"the same key twice, once escaped", `{"event":"e","data":1,"d\u0061ta":2}`, "occurs twice"},
		{"more after the object", `{"event":"e"}{`, "not valid JSON"},
		{"a comma too many", `{"event":"e",}`, "not valid JSON"},
		{"a control character", "{\"event\":\"a\nb\"}", "not valid JSON"},
		{"half an escape", `{"event":"\u12"}`, "not valid JSON"},
		{"a number like 01", `{"event":"e","data":01}`, "not valid JSON"},
		{"bytes that are no UTF-8", "{\"event\":\"\xff\"}", "UTF-8"},
		{"a million brackets", `{"event":"e","data":` + deep, "nested deeper"},
		{"a hundred keys", `{"event":"e"` + manyKeys(100) + `}`, "more than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := protocol.Decode([]byte(tt.frame))
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`,"k` + strings.Repeat("x", i) + `":1`)
	}
	return b.String()
}

func TestMessageFields(t *testing.T) {
	for _, frame := range []string{
		`{"event":"pusher:subscribe","data":{"channel":"a"}}`,
		`{"event":"pusher:subscribe","data":"{\"channel\":\"a\"}"}`,
	} {
		m, err := protocol.Decode([]byte(frame))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := m.Fields(func(key string, value []byte) error {
			got += key + "=" + string(value)
			return nil
		}); err != nil || got != `channel="a"` {
			t.Errorf("%s: got %s, %v", frame, got, err)
		}
	}
	for _, frame := range []string{`{"event":"e"}`, `{"event":"e","data":null}`, `{"event":"e","data":"x"}`, `{"event":"e","data":[]}`} {
		m, err := protocol.Decode([]byte(frame))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Fields(func(string, []byte) error { return nil }); err == nil {
			t.Errorf("%s: its data has fields, want an error", frame)
		}
	}
}

// FuzzDecode holds the scanner to encoding/json: what one takes for JSON the
// other does, but for what Decode refuses on purpose; and they read the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"event":"pusher:ping"}`, `{"event":"client-a","channel":"private-x","data":{"k":[1,2.5e-7,"\ud83d\ude00"]}}`,
		`{"event":"e","data":"x"}`, `{"a":{},"event":"e"}`, `{"event":"\ud800"}`, ` { "event" : "e" } `,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := protocol.Decode(in)
		var oracle map[string]json.RawMessage
		jsonErr := json.Unmarshal(in, &oracle)
		if err != nil {
			return
		}
		if jsonErr != nil {
			t.Fatalf("%q: Decode takes it, encoding/json says %v", in, jsonErr)
		}
		var event string
		if err := json.Unmarshal(oracle["event"], &event); err != nil || event != m.Event {
			t.Fatalf("%q: event = %q, encoding/json says %q, %v", in, m.Event, event, err)
		}
		if data := oracle["data"]; string(data) != string(m.Data) {
			t.Fatalf("%q: data = %s, encoding/json says %s", in, m.Data, data)
		}
		if out := m.Encode(); !json.Valid(out) {
			t.Fatalf("%q encodes to %s, which is no JSON", in, out)
		}
	})
}

// FuzzAppendString holds AppendString to encoding/json, which reads back what
// was written.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\x00\x1f\n\t\r\u007f", "é\U0001f600</script>&\u2028", "\xff\xc3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(protocol.AppendString(nil, s), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := string([]rune(s)); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if got2 := protocol.AppendString(nil, []byte(s)); string(got2) != string(protocol.AppendString(nil, s)) {
			t.Fatalf("bytes and string of %q differ", s)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, bb := range []struct{ name, frame string }{
		{"ping", `{"event":"pusher:ping","data":{}}`},
		{"subscribe", `{"event":"pusher:subscribe","data":{"auth":"278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4","channel":"private-foobar"}}`},
		{"client event", `{"event":"client-typing","channel":"private-chat","data":{"who":"amy","at":1234567,"text":"hello there"}}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := protocol.Decode([]byte(bb.frame)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(bb.name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var m struct {
					Event, Channel string
					Data           json.RawMessage
				}
				if err := json.Unmarshal([]byte(bb.frame), &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	m := protocol.Message{Event: "order-shipped", Channel: "private-orders", Data: protocol.Text([]byte(`{"id":1234567,"status":"shipped","carrier":"none","note":"` + strings.Repeat("x", 100) + `"}`))}
	b.ReportAllocs()
	for b.Loop() {
		m.Encode()
	}
}
