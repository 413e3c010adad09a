package wasm

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/revurb/revurb/core/limit"
)

// imports is what the host functions of a plugin know, and share among its
// instances.
type imports struct {
	// Static after construction.
	plugin *Plugin
	host   Host
	grants Grants
	apps   []string
	config map[string][]byte // as config_get returns it
	log    *slog.Logger      // nil if nothing is logged
	begin  time.Time         // of the monotonic clock of WASI

	lines   *limit.Rate   // of the log
	dropped atomic.Uint64 // lines that were not logged since one was
	lost    atomic.Uint64 // lines that were not logged, ever
}

// side is what the host functions keep for an instance, which one caller at a
// time uses.
type side struct {
	work   int                  // bytes, since the deadline was last looked at
	macs   map[string]hash.Hash // by key
	value  []byte               // of kv_get
	output [2]lineBuffer        // standard output, standard error
	ticks  time.Duration        // by which the clock of WASI is ahead
}

func (p *Plugin) newImports(granted Grants) (*imports, error) {
	config, err := renderConfig(p.o.Config)
	if err != nil {
		return nil, err
	}
	im := &imports{
		plugin: p, host: p.o.Host, grants: granted, apps: p.o.Apps,
		config: config, lines: limit.PerSecond(maxLines),
	}
	if im.host.Now == nil {
		im.host.Now = time.Now
	}
	if im.host.Random == nil {
		im.host.Random = rand.Reader
	}
	if im.host.Log != nil && granted.Log {
		im.log = im.host.Log.With("plugin", p.o.Name)
	}
	im.begin = im.host.Now()
	return im, nil
}

// renderConfig makes of a JSON object what config_get returns for each key: a
// string as it is, anything else as JSON.
func renderConfig(config []byte) (map[string][]byte, error) {
	if len(config) == 0 {
		return nil, nil
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(config, &values); err != nil {
		return nil, fmt.Errorf("read the config of the plugin, which is to be a JSON object: %w", err)
	}
	rendered := make(map[string][]byte, len(values))
	for k, v := range values {
		var s string
		if len(v) > 0 && v[0] == '"' && json.Unmarshal(v, &s) == nil {
			v = []byte(s)
		}
		rendered[k] = v
	}
	return rendered, nil
}

// randomTo fills b, or panics: a guest must not go on with what is not random.
func (c call) randomTo(b []byte) {
	c.chunks(b, func(part []byte) {
		if _, err := io.ReadFull(c.host.Random, part); err != nil {
			panic(fmt.Errorf("read random bytes: %w", err))
		}
	})
}
