-- What a node has: ARGV node, number of the call, and then any of
--   n topic subscriptions
--   j topic user info limit except
--   l topic user
-- It returns a number for each: of j the version with which the first of a user
-- came, 0 for another, -1 where the channel is full; of l 1 for the last; of n and
-- l -2 where Redis must have lost something.
local node = ARGV[2]
local last = redis.call('HGET', KEYS[1], node)
if not last then return redis.error_reply('LOST') end
if last == 'dead' then return redis.error_reply('FENCED') end
if tonumber(ARGV[3]) <= tonumber(last) then return redis.error_reply('STALE') end
redis.call('HSET', KEYS[1], node, ARGV[3])
quiet = redis.call('EXISTS', P .. ':recover') == 1
local N, M = P .. ':n:' .. node, P .. ':m:' .. node

local function join(topic, user, info, limit, except)
  local f = topic .. NUL .. user
  if redis.call('HEXISTS', M, f) == 1 then return 0 end
  local p, c = P .. ':p:' .. topic, 'c' .. NUL .. user
  if limit > 0 and redis.call('HEXISTS', p, c) == 0 and users(p) >= limit then return -1 end
  redis.call('HSET', M, f, 1)
  if redis.call('HINCRBY', p, c, 1) > 1 then return 0 end
  local v = enter(topic, user, info, '', except)
  on('r' .. f, 'added', topic, user)
  return v
end

local out = {}
local i = 4
while i <= #ARGV do
  local op, topic = ARGV[i], ARGV[i + 1]
  if op == 'n' then
    local n = tonumber(ARGV[i + 2])
    local d = n - tonumber(redis.call('HGET', N, topic) or '0')
    if n == 0 then redis.call('HDEL', N, topic) else redis.call('HSET', N, topic, n) end
    local r = 0
    if d ~= 0 then r = count(topic, d) end
    out[#out + 1] = r
    i = i + 3
  elseif op == 'j' then
    out[#out + 1] = join(topic, ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4]), ARGV[i + 5])
    i = i + 6
  else
    local r, user = 0, ARGV[i + 2]
    if redis.call('HDEL', M, topic .. NUL .. user) == 1 then
      r = leave(topic, user)
    elseif redis.call('HEXISTS', P .. ':p:' .. topic, 'c' .. NUL .. user) == 1 then
      r = -2 -- or other nodes have the user, and this one never said that it had
    end
    out[#out + 1] = r
    i = i + 3
  end
end
return out
