-- Names some of what a dead node has, and lets it have no more: ARGV node, limit. It
-- returns members and topics, none of which is the last of it.
local node, limit = ARGV[2], tonumber(ARGV[3])
redis.call('HSET', KEYS[1], node, 'dead')
local members = redis.call('HRANDFIELD', P .. ':m:' .. node, limit)
local topics = {}
if #members < limit then topics = redis.call('HRANDFIELD', P .. ':n:' .. node, limit - #members) end
return { members, topics }
