-- Holds the outbox of a partition for one node at a time, and reads it: KEYS the
-- holder and the stream; ARGV node, milliseconds of its lease, how many entries are
-- kept, how many are looked at, from where, to where, the app of which they are
-- returned, or "", and then the IDs of those that are settled. It returns 0 and the
-- milliseconds of its lease where another node is the holder. Otherwise 1, or 2 if
-- there was none; the time, how many entries were cut, how many were looked at, the
-- ID of the last, and the entries.
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return { 0, redis.call('PTTL', KEYS[1]) } end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
if #ARGV > 7 then redis.call('XDEL', KEYS[2], unpack(ARGV, 8)) end
local cut = 0
if redis.call('XLEN', KEYS[2]) > tonumber(ARGV[3]) then cut = redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[3]) end
local seen, last, entries = 0, '', {}
if ARGV[4] ~= '0' then
  local app = ARGV[7] .. string.char(0)
  for _, e in ipairs(redis.call('XRANGE', KEYS[2], ARGV[5], ARGV[6], 'COUNT', ARGV[4])) do
    seen, last = seen + 1, e[1]
    local entry = { e = '', t = '', u = '' }
    for i = 1, #e[2], 2 do entry[e[2][i]] = e[2][i + 1] end
    if ARGV[7] == '' or string.sub(entry.t, 1, #app) == app then
      entries[#entries + 1] = { last, entry.e, entry.t, entry.u }
    end
  end
end
local t = redis.call('TIME')
return { holder and 1 or 2, t[1] * 1000 + math.floor(t[2] / 1000), cut, seen, last, entries }
