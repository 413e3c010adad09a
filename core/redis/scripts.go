package redis

import (
	_ "embed"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// The scripts are in files of their own. What common.lua has is before each of
// those on what a partition has, and clock.lua before those on the keys of the
// cluster itself.
var (
	//go:embed scripts/clock.lua
	clockLua string
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
	//go:embed scripts/keep.lua
	keepLua string
	//go:embed scripts/publish.lua
	publishLua string
	//go:embed scripts/offsets.lua
	offsetsLua string
	//go:embed scripts/replay.lua
	replayLua string
	//go:embed scripts/allow.lua
	allowLua string
	//go:embed scripts/admit.lua
	admitLua string
	//go:embed scripts/take.lua
	takeLua string
	//go:embed scripts/release.lua
	releaseLua string
)

// scripts are the same for all nodes.
type scripts struct {
	apply, register, snapshot, left, reap, mend, pump, renew, claim, allow, admit *redis.Script

	publish, offsets, replay, keep, take, release *redis.Script // which share nothing with those before
}

// newScripts returns the scripts of a node: with its command to publish, how often
// a message has its offset, and the grace of those who have gone.
func newScripts(k keys, grace time.Duration) scripts { return fillScripts(commonLua, k, grace) }

func fillScripts(common string, k keys, grace time.Duration) scripts {
	fill := strings.NewReplacer("@PUBLISH@", k.publish, "@NUMBERED@", strconv.Itoa(k.numbered),
		"@GRACE@", strconv.FormatInt(grace.Milliseconds(), 10))
	s := func(lua string) *redis.Script { return redis.NewScript(fill.Replace(common + lua)) }
	own := func(lua string) *redis.Script { return redis.NewScript(fill.Replace(lua)) }
	control := func(lua string) *redis.Script { return redis.NewScript(clockLua + lua) }
	return scripts{
		apply: s(applyLua), register: s(registerLua), snapshot: s(snapshotLua), left: s(leftLua), reap: s(reapLua),
		mend: s(mendLua), pump: s(pumpLua),
		publish: own(publishLua), offsets: own(offsetsLua), replay: own(replayLua), keep: own(keepLua),
		take: own(takeLua), release: own(releaseLua),
		renew: control(renewLua), claim: control(claimLua), allow: control(allowLua), admit: control(admitLua),
	}
}
