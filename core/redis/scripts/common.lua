-- Before every script. ARGV[1] is what all keys of the partition begin with:
--
--   :nodes        HASH  node -> number of its last call, or "dead"; none: Redis has lost it
--   :epoch        STRING random; another one when Redis has lost what it had
--   :recover      STRING there while nodes say again what they have
--   :tot          HASH  topic -> subscriptions on all nodes
--   :n:<node>     HASH  topic -> subscriptions on that node
--   :m:<node>     HASH  topic NUL user -> 1
--   :p:<topic>    HASH  v -> version, n -> users, "c" NUL user -> nodes, "i" NUL user -> order:info
--   :due          ZSET  what is told of as gone -> when
--   :ev           STREAM what backends are to be told; bounded by who reads it, who counts what is cut
--   :out          STRING the node that reads it
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

local function change(topic, v, sign, user, info, except)
  local epoch = redis.call('GET', P .. ':epoch') or ''
  redis.call('@PUBLISH@', P .. ':t:' .. topic,
    'c' .. field(epoch) .. field(tostring(v)) .. field(sign) .. field(user) .. field(info) .. field(except))
end

-- count changes the sum of a topic by d.
local function count(topic, d)
  local t = redis.call('HINCRBY', P .. ':tot', topic, d)
  if t <= 0 then
    redis.call('HDEL', P .. ':tot', topic)
    off('v' .. topic, topic)
  elseif t == d then
    on('v' .. topic, 'occupied', topic, '')
  end
end

-- leave takes a node from those that have a user in a topic. It returns 1 if it
-- was the last.
local function leave(topic, user)
  local p = P .. ':p:' .. topic
  if redis.call('HINCRBY', p, 'c' .. NUL .. user, -1) > 0 then return 0 end
  redis.call('HDEL', p, 'c' .. NUL .. user, 'i' .. NUL .. user)
  local v = redis.call('HINCRBY', p, 'v', 1)
  if redis.call('HINCRBY', p, 'n', -1) <= 0 then redis.call('PEXPIRE', p, 600000) end
  change(topic, v, '-', user, '', '')
  off('r' .. topic .. NUL .. user, topic)
  return 1
end
