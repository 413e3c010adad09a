-- Judges the leases of all nodes: KEYS :alive, :dead, :reap, :calls, :clock; ARGV node,
-- and in milliseconds its lease, how long nobody may have judged, and how long none
-- runs then. Those whose lease is over are to be reaped by whoever has the time. It
-- returns 1 if the node itself has a lease, and how many have.
--
-- Leases run by a clock that stands still while Redis is away. Nodes judge all the
-- time: if nobody has for a while, nobody could renew either, or Redis's own clock has
-- been put forward or back. Then it stands still for a little longer, in which each
-- node that lives finds Redis again.
local alive, dead, reap, calls, clock = unpack(KEYS)
local lease, pause, rest = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local DAY = 86400000
local c = redis.call('HMGET', clock, 'at', 'time', 'still')
local at, time, still = tonumber(c[1]), tonumber(c[2]), tonumber(c[3])
if not time then -- a new cluster, or Redis has lost it
  time, still = NOW, 0
  for _, n in ipairs(redis.call('ZRANGE', alive, 0, -1)) do redis.call('ZADD', alive, time + lease, n) end
elseif math.abs(NOW - at) > pause then
  still = NOW + rest
elseif NOW >= still then
  time = time + math.max(0, NOW - at)
end
redis.call('HSET', clock, 'at', NOW, 'time', time, 'still', still)
redis.call('PEXPIRE', clock, DAY)

for _, n in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', time)) do
  redis.call('ZREM', alive, n)
  redis.call('HDEL', calls, n)
  redis.call('HSET', dead, n, NOW)
  redis.call('SADD', reap, n)
end
local gone = redis.call('HGETALL', dead)
for i = 1, #gone, 2 do
  if math.abs(NOW - gone[i + 1]) > DAY then redis.call('HDEL', dead, gone[i]) end
end
return {redis.call('ZSCORE', alive, ARGV[1]) and 1 or 0, redis.call('ZCARD', alive)}
