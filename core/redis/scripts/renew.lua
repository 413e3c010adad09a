-- Renews the lease of a node: ARGV node, milliseconds, what others are told of it.
-- It returns what the others have told.
if redis.call('HEXISTS', P .. ':dead', ARGV[2]) == 1 then return redis.error_reply('FENCED') end
redis.call('ZADD', P .. ':alive', NOW + tonumber(ARGV[3]), ARGV[2])
redis.call('HSET', P .. ':info', ARGV[2], ARGV[4])
return redis.call('HGETALL', P .. ':info')
