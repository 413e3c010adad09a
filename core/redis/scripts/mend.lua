-- Puts right what Redis has lost of what nodes have: ARGV node and the number of its
-- call, or twice "", how many nodes there are, those, and then any of
--   n topic subscriptions       what the node has
--   j topic user order info     whom it has
--   l topic user                whom it has not
--   s topic                     compare the sum alone
--   u topic user order info     compare on how many nodes a user is
-- It returns how many were wrong, and for each the sum. Without an order a user is
-- the last who has come, "-" is for one of whom nothing else is known.
local node = ARGV[2]
if node ~= '' then
  local last = redis.call('HGET', KEYS[1], node)
  if not last then return redis.error_reply('LOST') end
  if last == 'dead' then return redis.error_reply('FENCED') end
  if tonumber(ARGV[3]) <= tonumber(last) then return redis.error_reply('STALE') end
end
local names, given = {}, {}
local i = 5
while #names < tonumber(ARGV[4]) do
  names[#names + 1], given[ARGV[i]] = ARGV[i], true
  i = i + 1
end
for _, n in ipairs(redis.call('HKEYS', KEYS[1])) do
  if not given[n] then return redis.error_reply('NODES') end
end
if node ~= '' then redis.call('HSET', KEYS[1], node, ARGV[3]) end
quiet = redis.call('EXISTS', P .. ':recover') == 1
local N, M = P .. ':n:' .. node, P .. ':m:' .. node

-- Both return the sum, and whether it was another one.
local function subscriptions(topic)
  local sum = 0
  for _, n in ipairs(names) do sum = sum + tonumber(redis.call('HGET', P .. ':n:' .. n, topic) or '0') end
  local has = redis.call('HGET', P .. ':tot', topic)
  if sum == tonumber(has or '0') and (sum > 0 or not has) then return sum, false end
  if sum > 0 then
    redis.call('HSET', P .. ':tot', topic, sum)
    if has then redis.call('ZREM', P .. ':due', 'v' .. topic) else on('v' .. topic, 'occupied', topic, '') end
  else
    redis.call('HDEL', P .. ':tot', topic)
    off('v' .. topic, topic)
  end
  return sum, true
end

local function user(topic, name, order, info)
  local f, p, c = topic .. NUL .. name, P .. ':p:' .. topic, 'c' .. NUL .. name
  local sum = 0
  for _, n in ipairs(names) do sum = sum + redis.call('HEXISTS', P .. ':m:' .. n, f) end
  local has, told = redis.call('HGET', p, c), redis.call('HEXISTS', p, 'i' .. NUL .. name) == 1
  if sum == 0 then
    if has or told then depart(topic, name) end
    return 0, has or told
  end
  local wrong = tonumber(has or '0') ~= sum
  if wrong then redis.call('HSET', p, c, sum) end
  if told or order == '-' then return sum, wrong end
  -- Nodes that know the user have not told that he has gone, and tell nobody now.
  -- Backends may be told again: what they were told is in Redis alone, and may be
  -- lost with the rest.
  enter(topic, name, info, order, '')
  on('r' .. f, 'added', topic, name)
  return sum, true
end

local out = { 0 }
while i <= #ARGV do
  local op, topic, name = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local mine, sum, wrong = false
  if op == 'n' or op == 's' then
    if op == 'n' and tonumber(redis.call('HGET', N, topic) or '0') ~= tonumber(name) then
      mine = true
      if name == '0' then redis.call('HDEL', N, topic) else redis.call('HSET', N, topic, name) end
    end
    sum, wrong = subscriptions(topic)
    i = i + (op == 'n' and 3 or 2)
  else
    local order, info = ARGV[i + 3], ARGV[i + 4]
    if op == 'j' then mine = redis.call('HSET', M, topic .. NUL .. name, 1) == 1 end
    if op == 'l' then
      mine = redis.call('HDEL', M, topic .. NUL .. name) == 1
      order = '-'
    end
    sum, wrong = user(topic, name, order, info)
    i = i + (op == 'l' and 3 or 5)
  end
  if mine or wrong then out[1] = out[1] + 1 end
  out[#out + 1] = sum
end
return out
