-- Makes a node known: ARGV node, milliseconds for which all are quiet, or 0, and the
-- number of its last call. A node that is dead stays so, and what was called since
-- is not undone when this comes late.
local last = redis.call('HGET', KEYS[1], ARGV[2])
if last == 'dead' then return redis.error_reply('FENCED') end
if not last or tonumber(last) < tonumber(ARGV[4]) then redis.call('HSET', KEYS[1], ARGV[2], ARGV[4]) end
epoch()
if tonumber(ARGV[3]) > 0 then redis.call('SET', P .. ':recover', '1', 'NX', 'PX', ARGV[3]) end
return 1
