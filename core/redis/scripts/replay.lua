-- Reads the log of a topic: KEYS log; ARGV epoch, offset and id of the last event
-- that is known, and how many are read at most. It returns the time, the epoch, the
-- offset of the last event in the log, that of the first, that of the first event
-- that follows, and the entries that follow.
--
-- They follow from the beginning of the log where the event that is known is not
-- the one that the log has there: another server went on without it.
local log = KEYS[1]
local T = redis.call('TIME')
local now = math.floor((T[1] * 1000000 + T[2]) / 1000)
local head = redis.pcall('LINDEX', log, 0)
local epoch, taken = string.match(type(head) == 'string' and head or '', '^(%d+) (%d+)$')
if not epoch then return { now, '0', 0, 1, 1, {} } end
local length = redis.call('LLEN', log)
local first, tip = taken + 1, taken + length - 1
local known, from = tonumber(ARGV[2]), first
if epoch == ARGV[1] and known <= tip then
  if known < first then
    from = math.max(first, known + 1)
  else
    local entry = redis.call('LINDEX', log, known - first + 1)
    local n = string.match(entry, '^%d+')
    if ARGV[3] == '' or n and string.sub(entry, #n + 2, #n + 1 + n) == ARGV[3] then from = known + 1 end
  end
end
local at = from - first + 1
return { now, epoch, tip, first, from, redis.call('LRANGE', log, at, at + ARGV[4] - 1) }
