-- Makes a node known: ARGV node, epoch if there is none yet, milliseconds for
-- which all are quiet, or 0, and the number of its last call. A node that is dead
-- stays so, and what was called since is not undone when this comes late.
local last = redis.call('HGET', KEYS[1], ARGV[2])
if last == 'dead' then return redis.error_reply('FENCED') end
if not last or tonumber(last) < tonumber(ARGV[5]) then redis.call('HSET', KEYS[1], ARGV[2], ARGV[5]) end
redis.call('SETNX', P .. ':epoch', ARGV[3])
if tonumber(ARGV[4]) > 0 then redis.call('SET', P .. ':recover', '1', 'NX', 'PX', ARGV[4]) end
return 1
