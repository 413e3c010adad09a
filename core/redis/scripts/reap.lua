-- Takes from the sums what a dead node had, so much at a time: ARGV node, limit.
-- It returns how much it took; less than the limit is the last of it.
local node, limit, done = ARGV[2], tonumber(ARGV[3]), 0
redis.call('HSET', KEYS[1], node, 'dead')
quiet = redis.call('EXISTS', P .. ':recover') == 1
local N, M = P .. ':n:' .. node, P .. ':m:' .. node
local members = redis.call('HRANDFIELD', M, limit)
for _, f in ipairs(members) do
  redis.call('HDEL', M, f)
  local z = string.find(f, NUL, string.find(f, NUL, 1, true) + 1, true)
  leave(string.sub(f, 1, z - 1), string.sub(f, z + 1))
  done = done + 1
end
if done < limit then
  local counts = redis.call('HRANDFIELD', N, limit - done, 'WITHVALUES')
  for i = 1, #counts, 2 do
    redis.call('HDEL', N, counts[i])
    count(counts[i], -tonumber(counts[i + 1]))
    done = done + 1
  end
end
return done
