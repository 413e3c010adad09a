package redis

import (
	_ "embed"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The scripts are in files of their own. What common.lua has is before each of
// them.
var (
	//go:embed scripts/common.lua
	commonLua string
	//go:embed scripts/apply.lua
	applyLua string
	//go:embed scripts/register.lua
	registerLua string
	//go:embed scripts/snapshot.lua
	snapshotLua string
	//go:embed scripts/left.lua
	leftLua string
	//go:embed scripts/reap.lua
	reapLua string
	//go:embed scripts/mend.lua
	mendLua string
	//go:embed scripts/pump.lua
	pumpLua string
	//go:embed scripts/renew.lua
	renewLua string
	//go:embed scripts/claim.lua
	claimLua string
	//go:embed scripts/cache.lua
	cacheLua string
	//go:embed scripts/allow.lua
	allowLua string
)

// scripts are the same for all nodes.
type scripts struct {
	apply, register, snapshot, left, reap, mend, pump, renew, claim, cache, allow *redis.Script
}

func newScripts(publish string) scripts {
	s := func(lua string) *redis.Script {
		return redis.NewScript(strings.ReplaceAll(commonLua+lua, "@PUBLISH@", publish))
	}
	return scripts{
		apply: s(applyLua), register: s(registerLua), snapshot: s(snapshotLua), left: s(leftLua), reap: s(reapLua), mend: s(mendLua),
		pump: s(pumpLua), renew: s(renewLua), claim: s(claimLua), cache: s(cacheLua), allow: s(allowLua),
	}
}
