-- Takes from the sums what a dead node had: ARGV node, and then any of
--   m topic user
--   n topic
-- Of several that take an entry only one finds it.
local node = ARGV[2]
redis.call('HSET', KEYS[1], node, 'dead')
-- It may only be cut off. What is published on its topics is kept for a while, though
-- nobody has them anymore.
redis.call('SET', P .. ':settled', NOW)
quiet = redis.call('EXISTS', P .. ':recover') == 1
local N, M = P .. ':n:' .. node, P .. ':m:' .. node
local i = 3
while i <= #ARGV do
  local topic = ARGV[i + 1]
  if ARGV[i] == 'm' then
    if redis.call('HDEL', M, topic .. NUL .. ARGV[i + 2]) == 1 then leave(topic, ARGV[i + 2]) end
    i = i + 3
  else
    local n = redis.call('HGET', N, topic)
    if n then
      redis.call('HDEL', N, topic)
      count(topic, -tonumber(n))
    end
    i = i + 2
  end
end
return 1
