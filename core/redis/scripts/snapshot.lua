-- The members of a topic: ARGV topic. It returns the epoch, the milliseconds for
-- which nodes still say what they have, and the hash.
local wait = redis.call('PTTL', P .. ':recover')
return { redis.call('GET', P .. ':epoch') or '', wait, redis.call('HGETALL', P .. ':p:' .. ARGV[2]) }
