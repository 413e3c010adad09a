-- How many clients of some apps a node has, and how many more may come: KEYS :alive,
-- :dead, :calls, and of each app the clients by node; ARGV node, number of the call,
-- and of each app how many the node has, how many more want to come, the limit of all
-- nodes or 0, and how many the others have at least. It returns of each app how many
-- may come, and how many the others have.
--
-- What nodes without a lease have said does not count: it goes when somebody sees it.
local alive, dead, calls = KEYS[1], KEYS[2], KEYS[3]
local node = ARGV[1]
if redis.call('HEXISTS', dead, node) == 1 then return redis.error_reply('FENCED') end
if not redis.call('ZSCORE', alive, node) then return redis.error_reply('LOST') end
local last = tonumber(redis.call('HGET', calls, node) or '0')
if tonumber(ARGV[2]) <= last then return redis.error_reply('STALE') end
redis.call('HSET', calls, node, ARGV[2])

local function elsewhere(app)
  local sum, all = 0, redis.call('HGETALL', app)
  for i = 1, #all, 2 do
    if all[i] == node then -- says so itself
    elseif redis.call('ZSCORE', alive, all[i]) then sum = sum + all[i + 1]
    else redis.call('HDEL', app, all[i]) end
  end
  return sum
end

local HOUR = 3600000
local out = {}
for k = 4, #KEYS do
  local a = 3 + 4 * (k - 4)
  local have, want, limit, least = tonumber(ARGV[a]), tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2]), tonumber(ARGV[a + 3])
  local others = math.max(elsewhere(KEYS[k]), least)
  if limit > 0 then want = math.max(0, math.min(want, limit - have - others)) end
  if have + want > 0 then
    redis.call('HSET', KEYS[k], node, have + want)
    redis.call('PEXPIRE', KEYS[k], HOUR)
  else
    redis.call('HDEL', KEYS[k], node)
  end
  out[#out + 1] = want
  out[#out + 1] = others
end
return out
