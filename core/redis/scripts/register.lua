-- Makes a node known: ARGV node, epoch if there is none yet, milliseconds for
-- which all are quiet, or 0.
redis.call('HSET', KEYS[1], ARGV[2], 0)
redis.call('SETNX', P .. ':epoch', ARGV[3])
if tonumber(ARGV[4]) > 0 then redis.call('SET', P .. ':recover', '1', 'NX', 'PX', ARGV[4]) end
return 1
