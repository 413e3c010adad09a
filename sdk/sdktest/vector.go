// Package sdktest runs guests the way that the SDKs promise, with a host of a few
// lines, so that a guest in any language can be held against the same vectors. It
// knows nothing of the server.
package sdktest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
)

// Vector is a call of the golden guest and what must come of it.
type Vector struct {
	Name   string            `json:"name"`
	Export string            `json:"export"`           // the function called: on_message, authorize, configure
	Frame  Hex               `json:"frame"`            // the request
	Ctx    map[string]string `json:"ctx,omitempty"`    // what ctx_get returns, by the field's number
	Config map[string]string `json:"config,omitempty"` // what config_get returns
	KV     map[string]string `json:"kv,omitempty"`     // what the plugin has kept before
	Want   Want              `json:"want"`
}

// Want is what a call must do. Fields that are not here must be absent.
type Want struct {
	Trap    bool              `json:"trap,omitempty"` // the call fails: it traps, or returns no status that there is
	Status  uint64            `json:"status"`
	Code    uint64            `json:"code,omitempty"`
	Fields  map[string]string `json:"fields,omitempty"`  // of the response, by number, from 2 on, as text
	Log     []string          `json:"log,omitempty"`     // "LEVEL LINE"
	Publish [][]string        `json:"publish,omitempty"` // channel, event, data
	KV      map[string]string `json:"kv,omitzero"`       // kept afterwards
}

// Hex is bytes, in JSON as hexadecimal digits.
type Hex []byte

// MarshalText implements encoding.TextMarshaler.
func (h Hex) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h)), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Secret, Now and the bytes 0, 1, 2, ... are the app's secret, the time and the
// randomness that vectors count on.
const (
	Secret = "top secret"
	Now    = 1767225600123
)

// ReadVectors reads the vectors of a file.
func ReadVectors(path string) ([]Vector, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var vs []Vector
	if err := json.Unmarshal(b, &vs); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return vs, nil
}
