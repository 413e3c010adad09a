-- Keeps the last event of a cache channel and publishes it: ARGV topic,
-- milliseconds, event, data, envelope before the version, envelope after it. It
-- returns the version.
local key = P .. ':c:' .. ARGV[2]
-- A version is a time, so that it grows even when the last one has expired.
local v = string.format('%.0f', math.max(T[1] * 1000000 + T[2], tonumber(redis.call('HGET', key, 'v') or '0') + 1))
redis.call('HSET', key, 'v', v, 'e', ARGV[4], 'd', ARGV[5])
redis.call('PEXPIRE', key, ARGV[3])
if ARGV[6] ~= '' then
  redis.call('@PUBLISH@', P .. ':t:' .. ARGV[2], ARGV[6] .. field(v) .. ARGV[7])
end
return v
