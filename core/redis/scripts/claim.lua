-- Judges the leases of all nodes: KEYS :alive, :dead, :reap, :calls; ARGV node. Those
-- whose lease is over are to be reaped by whoever has the time. It returns whether the
-- node itself has a lease.
local alive, dead, reap, calls = unpack(KEYS)
local DAY = 86400000
for _, n in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', NOW)) do
  redis.call('ZREM', alive, n)
  redis.call('HDEL', calls, n)
  redis.call('HSET', dead, n, NOW)
  redis.call('SADD', reap, n)
end
local gone = redis.call('HGETALL', dead)
for i = 1, #gone, 2 do
  if NOW - gone[i + 1] > DAY then redis.call('HDEL', dead, gone[i]) end
end
return redis.call('ZSCORE', alive, ARGV[1]) and 1 or 0
