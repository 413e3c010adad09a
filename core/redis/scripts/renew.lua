-- Renews the lease of a node: KEYS :alive, :dead, :clock; ARGV node, milliseconds. It
-- returns 1 if the node had none, and how many nodes there are. claim.lua says by
-- which clock leases run.
if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 1 then return redis.error_reply('FENCED') end
local time = tonumber(redis.call('HGET', KEYS[3], 'time') or NOW)
local added = redis.call('ZADD', KEYS[1], time + tonumber(ARGV[2]), ARGV[1])
return {added, redis.call('ZCARD', KEYS[1])}
