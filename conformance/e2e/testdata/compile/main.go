// Command compile fills a cache directory with plugins, so that a server that
// was built to find data races, for which compiling takes a minute, need not.
//
//	compile CACHE_DIR FILE...
package main

import (
	"context"
	"log"
	"os"

	"github.com/revurb/revurb/hooks/kv"
	"github.com/revurb/revurb/hooks/wasm"
)

func main() {
	for _, file := range os.Args[2:] {
		if err := compile(context.Background(), os.Args[1], file); err != nil {
			log.Fatalf("%s: %v", file, err)
		}
	}
}

func compile(ctx context.Context, cache, file string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	p, err := wasm.Load(ctx, b, wasm.Options{
		CacheDir: cache,
		Config:   []byte(`{"words":["none"]}`), // or moderation refuses to start
		Grants:   wasm.Grants{Log: true, Config: true, KV: true, HMAC: true, Clock: true},
		Limits:   wasm.Limits{Pool: 1},
		Host:     wasm.Host{KV: kv.New(0, nil)},
	})
	if err != nil {
		return err
	}
	return p.Drain(ctx)
}
