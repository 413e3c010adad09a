-- A rate of so many a second, all of which may come at once: ARGV how many now,
-- rate, key. It returns the microseconds until they may pass, or 0.
-- The key is the time at which all that has passed would have, one after the
-- other.
local now = T[1] * 1000000 + T[2]
local rate = tonumber(ARGV[3])
local n = math.min(tonumber(ARGV[2]), rate)
local tat = math.max(tonumber(redis.call('GET', P .. ARGV[4]) or '0'), now) + n * 1000000 / rate
if tat - now > 1000000 then return math.ceil(tat - now - 1000000) end
redis.call('SET', P .. ARGV[4], string.format('%.0f', tat), 'PX', 2000)
return 0
