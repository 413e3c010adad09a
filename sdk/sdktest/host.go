package sdktest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/revurb/revurb/hooks/abi"
)

// host is what a guest's imports talk to during a call.
type host struct {
	ctx, config, kv map[string]string
	log             []string
	publish         [][]string
	random          byte
	secret          string
}

type hostKey struct{}

func with(ctx context.Context, h *host) context.Context { return context.WithValue(ctx, hostKey{}, h) }

func of(ctx context.Context) *host { return ctx.Value(hostKey{}).(*host) }

func read(m api.Module, at, n uint32) []byte {
	b, ok := m.Memory().Read(at, n)
	if !ok {
		panic("an address outside the memory")
	}
	return b
}

func give(m api.Module, values map[string]string, key string, buf, size uint32) int32 {
	v, ok := values[key]
	if !ok {
		return abi.ErrNotFound
	}
	if len(v) <= int(size) && !m.Memory().WriteString(buf, v) {
		panic("an address outside the memory")
	}
	return int32(len(v))
}

func instantiateHost(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder(abi.Module)
	for name, f := range imports() {
		b = b.NewFunctionBuilder().WithFunc(f).Export(name)
	}
	if _, err := b.Instantiate(ctx); err != nil {
		return fmt.Errorf("start host: %w", err)
	}
	return nil
}

func imports() map[string]any {
	type c = context.Context
	type m = api.Module
	return map[string]any{
		"log": func(ctx c, m m, level int32, at, n uint32) {
			of(ctx).log = append(of(ctx).log, fmt.Sprintf("%d %s", level, read(m, at, n)))
		},
		"log_enabled": func(int32) int32 { return 1 },
		"config_get": func(ctx c, m m, k, kn, buf, size uint32) int32 {
			return give(m, of(ctx).config, string(read(m, k, kn)), buf, size)
		},
		"ctx_get": func(ctx c, m m, field int32, buf, size uint32) int32 {
			return give(m, of(ctx).ctx, strconv.Itoa(int(field)), buf, size)
		},
		"now_ms": func() int64 { return Now },
		"random": func(ctx c, m m, at, n uint32) int32 {
			for i := range read(m, at, n) {
				m.Memory().WriteByte(at+uint32(i), of(ctx).random)
				of(ctx).random++
			}
			return 0
		},
		"hmac_sha256": func(ctx c, m m, ref int32, k, kn, msg, msgn, out uint32) int32 {
			key := []byte(of(ctx).secret)
			if ref == abi.HMACKeyBytes {
				key = read(m, k, kn)
			}
			h := hmac.New(sha256.New, key)
			h.Write(read(m, msg, msgn))
			m.Memory().Write(out, h.Sum(nil))
			return 32
		},
		"kv_get": func(ctx c, m m, k, kn, buf, size uint32) int32 {
			return give(m, of(ctx).kv, string(read(m, k, kn)), buf, size)
		},
		"kv_set": func(ctx c, m m, k, kn, v, vn uint32, ttl int64) int32 {
			if ttl <= 0 {
				return abi.ErrArgument
			}
			of(ctx).kv[string(read(m, k, kn))] = string(read(m, v, vn))
			return 0
		},
		"kv_incr": func(ctx c, m m, k, kn uint32, delta, ttl int64, out uint32) int32 {
			if ttl <= 0 {
				return abi.ErrArgument
			}
			key := string(read(m, k, kn))
			n, _ := strconv.ParseInt(of(ctx).kv[key], 10, 64)
			of(ctx).kv[key] = strconv.FormatInt(n+delta, 10)
			m.Memory().WriteUint64Le(out, uint64(n+delta))
			return 0
		},
		"kv_del": func(ctx c, m m, k, kn uint32) int32 {
			delete(of(ctx).kv, string(read(m, k, kn)))
			return 0
		},
		"publish": func(ctx c, m m, at, n uint32) int32 {
			f, err := abi.Parse(append([]byte(nil), read(m, at, n)...))
			if err != nil {
				return abi.ErrArgument
			}
			of(ctx).publish = append(of(ctx).publish, []string{string(f.Field(abi.Channel)), string(f.Field(abi.Event)), string(f.Field(abi.Data))})
			return 0
		},
	}
}
