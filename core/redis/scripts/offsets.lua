-- Where the logs of some topics are: KEYS producers, then the log of each topic;
-- ARGV milliseconds for which a log lasts. It returns the time, what each producer
-- has published last, and of each topic the epoch, the offset, and the beginning of
-- the last entry, or "". A log that was not there begins now: from now on somebody
-- listens. So does one that no node can have written: the others must not wait for it.
local T = redis.call('TIME')
local US = T[1] * 1000000 + T[2]
local out = { math.floor(US / 1000), redis.call('HGETALL', KEYS[1]) }
for i = 2, #KEYS do
  local log = KEYS[i]
  local head = redis.pcall('LINDEX', log, 0)
  local epoch, taken = string.match(type(head) == 'string' and head or '', '^(%d+) (%d+)$')
  local n, entry = 0, ''
  if not epoch then
    epoch = string.format('%.0f', US)
    redis.call('DEL', log)
    redis.call('RPUSH', log, epoch .. ' 0')
  else
    local length = redis.call('LLEN', log)
    n = taken + length - 1
    if length > 1 then entry = string.sub(redis.call('LINDEX', log, -1), 1, 64) end
  end
  redis.call('PEXPIRE', log, ARGV[1])
  local o = #out
  out[o + 1], out[o + 2], out[o + 3] = epoch, n, entry
end
return out
