-- Keeps an event for a cache channel: KEYS cache; ARGV milliseconds, event, data.
local T = redis.call('TIME')
local v = math.max(T[1] * 1000000 + T[2], tonumber(redis.call('HGET', KEYS[1], 'v') or '0') + 1)
redis.call('HSET', KEYS[1], 'v', string.format('%.0f', v), 'e', ARGV[2], 'd', ARGV[3])
return redis.call('PEXPIRE', KEYS[1], ARGV[1])
