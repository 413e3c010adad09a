-- Before every script. ARGV[1] is what all keys of the partition begin with; those
-- that a script touches are all in KEYS, too, so that a Redis that has moved some of
-- them says so, instead of taking them for missing:
--
--   :nodes        HASH  node -> number of its last call, or "dead"; none: Redis has lost it
--   :epoch        HASH  e -> its name, another one when Redis has lost what it had; v -> version of the last change
--   :recover      STRING there while nodes say again what they have
--   :tot          HASH  topic -> subscriptions on all nodes
--   :n:<node>     HASH  topic -> subscriptions on that node
--   :m:<node>     HASH  topic NUL user -> 1
--   :p:<topic>    HASH  v -> version of its last change, "c" NUL user -> nodes, "i" NUL user -> order:info
--   :due          ZSET  what is told of as gone -> when
--   :ev           STREAM what backends are to be told; bounded by who reads it, who counts what is cut
--   :out          STRING the node that reads it
--   :settled      STRING since when it is certain who has what, and on which server
--   :t:<topic>    channel
local P = ARGV[1]
local T = redis.call('TIME')
local NOW = T[1] * 1000 + math.floor(T[2] / 1000)
local GRACE = @GRACE@
local NUL = string.char(0)
local quiet = false

local function field(s) return #s .. ':' .. s end

-- The server's own channels are told to nobody outside.
local function inner(topic)
  return string.byte(topic, string.find(topic, NUL, 1, true) + 1) == 35
end

local function write(e, topic, user)
  redis.call('XADD', P .. ':ev', '*', 'e', e, 't', topic, 'u', user)
end

-- on and off are a coming and a going. One that is back within the grace has
-- never gone.
local function on(mark, e, topic, user)
  if redis.call('ZREM', P .. ':due', mark) == 1 or quiet or inner(topic) then return end
  write(e, topic, user)
end

local function off(mark, topic)
  if quiet or inner(topic) then return end
  redis.call('ZADD', P .. ':due', NOW + GRACE, mark)
end

-- epoch returns the name of what Redis has, and makes a new one where it is lost.
-- Versions begin with the time, so that what comes later is later in any epoch.
local known
local function epoch()
  if known then return known end
  local has = redis.call('HMGET', P .. ':epoch', 'e', 'v')
  known = has[1]
  if not has[1] or not has[2] then
    known = string.format('%.0f', T[1] * 1000000 + T[2])
    redis.call('HSET', P .. ':epoch', 'e', known, 'v', known)
  end
  return known
end

-- step gives a topic its next version: it returns the one before, and that. They
-- grow through the whole partition, so that nothing need be kept of a topic that
-- everybody has left.
local function step(p)
  epoch()
  local last = redis.call('HGET', p, 'v') or '0'
  local v = string.format('%.0f', redis.call('HINCRBY', P .. ':epoch', 'v', 1))
  redis.call('HSET', p, 'v', v)
  return last, v
end

local function change(topic, last, v, sign, user, info, except)
  redis.call('@PUBLISH@', P .. ':t:' .. topic,
    'c' .. field(epoch()) .. field(last) .. field(v) .. field(sign) .. field(user) .. field(info) .. field(except))
end

-- users is how many are in a topic: each is two fields.
local function users(p) return math.floor(redis.call('HLEN', p) / 2) end

-- enter tells of a user who has come, in the order or as the last. It returns the
-- version.
local function enter(topic, user, info, order, except)
  local p = P .. ':p:' .. topic
  local last, v = step(p)
  if order == '' then order = v end
  info = order .. ':' .. info
  redis.call('HSET', p, 'i' .. NUL .. user, info)
  change(topic, last, v, '+', user, info, except)
  return tonumber(v)
end

-- depart tells of a user who has gone.
local function depart(topic, user)
  local p = P .. ':p:' .. topic
  redis.call('HDEL', p, 'c' .. NUL .. user, 'i' .. NUL .. user)
  local last, v = step(p)
  if redis.call('HLEN', p) == 1 then redis.call('DEL', p) end
  change(topic, last, v, '-', user, '', '')
  off('r' .. topic .. NUL .. user, topic)
end

-- count changes the sum of a topic by d. It returns -2 for a sum that cannot be:
-- Redis has lost some of it, and it is to be mended before anyone is told.
local function count(topic, d)
  local t = redis.call('HINCRBY', P .. ':tot', topic, d)
  if t < 0 then
    redis.call('HSET', P .. ':tot', topic, 0)
    return -2
  elseif t == 0 then
    redis.call('HDEL', P .. ':tot', topic)
    off('v' .. topic, topic)
  elseif t == d then
    on('v' .. topic, 'occupied', topic, '')
  end
  return 0
end

-- leave takes a node from those that have a user in a topic. It returns 1 if it
-- was the last, and -2 as count does.
local function leave(topic, user)
  local p, c = P .. ':p:' .. topic, 'c' .. NUL .. user
  local left = redis.call('HINCRBY', p, c, -1)
  if left > 0 then return 0 end
  if left < 0 then
    redis.call('HSET', p, c, 0)
    return -2
  end
  depart(topic, user)
  return 1
end
