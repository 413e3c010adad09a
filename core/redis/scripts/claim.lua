-- Finds the nodes whose lease is over: it returns those that are to be reaped, by
-- whoever has the time.
local DAY = 86400000
for _, n in ipairs(redis.call('ZRANGEBYSCORE', P .. ':alive', '-inf', NOW)) do
  redis.call('ZREM', P .. ':alive', n)
  redis.call('HDEL', P .. ':info', n)
  redis.call('HSET', P .. ':dead', n, NOW)
  redis.call('SADD', P .. ':reap', n)
end
local dead = redis.call('HGETALL', P .. ':dead')
for i = 1, #dead, 2 do
  if NOW - tonumber(dead[i + 1]) > DAY then redis.call('HDEL', P .. ':dead', dead[i]) end
end
return redis.call('SMEMBERS', P .. ':reap')
