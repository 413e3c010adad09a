-- The members of a topic: ARGV topic, node. It returns the epoch, the milliseconds
-- for which nodes still say what they have, and the hash. A Redis that does not
-- know the node that asks has lost what the others had, too.
local wait = redis.call('PTTL', P .. ':recover')
local known = redis.call('HGET', KEYS[1], ARGV[3])
if not known or known == 'dead' then wait = 100 end
return { redis.call('GET', P .. ':epoch') or '', wait, redis.call('HGETALL', P .. ':p:' .. ARGV[2]) }
