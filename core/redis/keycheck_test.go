package redis

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// KeyCheck has Redis look at which keys the scripts of nodes touch.
type KeyCheck struct {
	Exempt []string // scripts that are not looked at

	mu         sync.Mutex // guards what follows
	seen       map[string]bool
	names      map[string]string // of scripts, by hash
	undeclared map[string]bool
}

// Watch has the scripts of a node looked at. It is called before the node does
// anything.
func (k *KeyCheck) Watch(n *Node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.names == nil {
		k.seen, k.names, k.undeclared = map[string]bool{}, map[string]string{}, map[string]bool{}
	}
	all := reflect.ValueOf(n.scripts)
	for i := range all.NumField() {
		script := (*redis.Script)(all.Field(i).UnsafePointer())
		k.names[script.Hash()] = all.Type().Field(i).Name
	}
	for _, client := range []redis.UniversalClient{n.publish, n.state} {
		client.AddHook(keyHook{k})
	}
}

// Undeclared are the scripts, commands and keys that were no keys of the call.
func (k *KeyCheck) Undeclared() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Sorted(maps.Keys(k.undeclared))
}

// Unseen are the scripts that have not run.
func (k *KeyCheck) Unseen() (names []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range k.names {
		if !k.seen[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checked is before each script.
const checked = `
local real, declared = redis, {}
for _, key in ipairs(KEYS) do declared[key] = true end
local none = { TIME = true, PUBLISH = true, SPUBLISH = true }
local all = { DEL = true, EXISTS = true, MGET = true, UNLINK = true }
local redis = setmetatable({ call = function(command, ...)
  local args = {...}
  for i, key in ipairs(args) do
    if none[command] or i > 1 and not all[command] then break end
    if not declared[key] then error('UNDECLARED ' .. command .. ' ' .. key) end
  end
  return real.call(command, ...)
end }, { __index = real })
`

// noScript is what Redis says of a script that it does not have: the node sends all
// of it then.
type noScript struct{}

func (noScript) Error() string { return "NOSCRIPT it is to be sent" }
func (noScript) RedisError()   {}

type keyHook struct{ check *KeyCheck }

func (keyHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (keyHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (h keyHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		switch args := cmd.Args(); cmd.Name() {
		case "evalsha":
			cmd.SetErr(noScript{})
			return noScript{}
		case "eval":
			source := args[1].(string)
			sum := sha1.Sum([]byte(source))
			name := h.check.name(hex.EncodeToString(sum[:]))
			if !slices.Contains(h.check.Exempt, name) {
				args[1] = checked + source
			}
			err := next(ctx, cmd)
			h.check.note(name, err)
			return err
		}
		return next(ctx, cmd)
	}
}

func (k *KeyCheck) name(hash string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.names[hash]
}

func (k *KeyCheck) note(name string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen[name] = true
	if err != nil {
		if _, what, ok := strings.Cut(err.Error(), "UNDECLARED "); ok {
			k.undeclared[fmt.Sprintf("%s: %s", name, what)] = true
		}
	}
}
