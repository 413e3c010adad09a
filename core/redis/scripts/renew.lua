-- Renews the lease of a node: KEYS :alive, :dead; ARGV node, milliseconds. It returns
-- 1 if the node had none, and how many nodes there are.
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return redis.error_reply('FENCED') end
local added = redis.call('ZADD', KEYS[1], NOW + tonumber(ARGV[2]), ARGV[1])
return {added, redis.call('ZCARD', KEYS[1])}
