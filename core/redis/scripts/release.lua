-- Lets go of the outbox of a partition: KEYS the holder and the stream; ARGV node,
-- and the IDs of entries that are settled. A node that is not the holder does nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if #ARGV > 1 then redis.call('XDEL', KEYS[2], unpack(ARGV, 2)) end
return redis.call('DEL', KEYS[1])
