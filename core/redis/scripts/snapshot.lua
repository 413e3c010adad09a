-- The members of a topic: ARGV topic, node. It returns the epoch, the version of
-- the last change in it, the milliseconds for which nodes still say what they have,
-- and the hash. A Redis that does not know the node that asks has lost what the
-- others had, too.
local wait = redis.call('PTTL', P .. ':recover')
local me = redis.call('HGET', KEYS[1], ARGV[3])
if not me or me == 'dead' then wait = 100 end
local e = redis.call('HMGET', P .. ':epoch', 'e', 'v')
if not e[1] or not e[2] then e = { '', '0' } end
return { e[1], e[2], wait, redis.call('HGETALL', P .. ':p:' .. ARGV[2]) }
