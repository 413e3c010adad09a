-- A rate of so many a second, all of which may come at once: KEYS the time at which
-- all that has passed would have, one after the other; ARGV how many now, rate. It
-- returns the microseconds until they may pass, or 0.
local now = T[1] * 1000000 + T[2]
local rate = tonumber(ARGV[2])
local n = math.min(tonumber(ARGV[1]), rate)
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now) + n * 1000000 / rate
if tat - now > 1000000 then return math.ceil(tat - now - 1000000) end
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', 2000)
return 0
