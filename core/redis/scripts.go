package redis

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

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
	//go:embed scripts/reap.lua
	reapLua string
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
	//go:embed scripts/take.lua
	takeLua string
	//go:embed scripts/release.lua
	releaseLua string
)

// scripts are the same for all nodes.
type scripts struct {
	apply, register, snapshot, reap, pump, renew, claim, cache, allow *redis.Script

	take, release *redis.Script // which need nothing of what common.lua has
}

// newScripts returns the scripts of a node: with its command to publish, and the
// grace of those who have gone.
func newScripts(publish string, grace time.Duration) scripts {
	return fillScripts(commonLua, publish, grace)
}

func fillScripts(common, publish string, grace time.Duration) scripts {
	fill := strings.NewReplacer("@PUBLISH@", publish, "@GRACE@", strconv.FormatInt(grace.Milliseconds(), 10))
	s := func(lua string) *redis.Script { return redis.NewScript(fill.Replace(common + lua)) }
	return scripts{
		apply: s(applyLua), register: s(registerLua), snapshot: s(snapshotLua), reap: s(reapLua),
		pump: s(pumpLua), renew: s(renewLua), claim: s(claimLua), cache: s(cacheLua), allow: s(allowLua),
		take: redis.NewScript(takeLua), release: redis.NewScript(releaseLua),
	}
}
