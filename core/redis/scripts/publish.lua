-- Publishes what a node has to publish on topics of one partition, each event once:
-- it appends to the topic's log and publishes. It is run for every event, so what
-- most events need is two commands, and no string is made for them.
--
-- KEYS   producers, settled, totals; then of each group: log, and of one for a
--        cache channel: cache
-- ARGV   1 producer, 2 number of the attempt, 3 that, the last sequence number of the
--        producer, and the time, 4 "1" if an earlier attempt may have been done, 5
--        "1" to be told the time, 6 milliseconds for which a log lasts, 7 events, 8
--        bytes, 9 length of what logs begin with before the topic, 10 a letter for
--        each group: "-" for one event, "r" for one after which the log is to last
--        on, "n" for several, and "c" for one of a cache channel, 11 the server of
--        the earlier attempt; then of each group, "n": number of events; their entries; "c": milliseconds for which it
--        is kept, event, data
--
-- A log is a list: its epoch and how many events were taken from it already, then
-- an entry for each event. An entry begins with the id of its event and the time,
-- each with its length before it. What is published on a topic is on the channel
-- that is named as its log. It is the entry, or, now and then and where it matters,
-- "b", the epoch, ";", the offset of the first, ";", and entries. On a connection to
-- a server that stays what it is, no message is left out; another, such as a master
-- that becomes a replica, may leave out some and go on: there each has its offset.
--
-- It returns the time in milliseconds and a number for the server, or twice 0, then
-- the numbers of the groups that no connection was sent.
local call, argv, keys = redis.call, ARGV, KEYS

-- A late attempt is not done: a later one has been.
local last = call('HGET', keys[1], argv[1])
if last and tonumber(argv[2]) <= tonumber(string.match(last, '^%d+')) then return redis.error_reply('STALE') end
call('HSET', keys[1], argv[1], argv[3])

local size = tonumber(argv[8])
local large = size / 128 -- of an entry, of which a few are too much

-- slow returns the functions that few events need.
local tools
local function slow()
  if tools then return tools end
  local T = call('TIME')
  local US = T[1] * 1000000 + T[2]
  local NOW = math.floor(US / 1000)
  local keep, most = tonumber(argv[6]), tonumber(argv[7])

  -- field returns where the field of an entry begins, and ends, that is at i.
  local function field(s, i)
    local n = string.match(s, '^%d+', i)
    local from = i + #n + 1
    return from, from + n - 1
  end

  -- fresh returns those of some arguments that are not among the last of a log.
  local seen = {}
  local function fresh(log, from, to)
    local ids = seen[log]
    if not ids then
      ids = {}
      for _, e in ipairs(call('LRANGE', log, -1024, -1)) do
        if string.find(e, ':', 1, true) then ids[string.sub(e, field(e, 1))] = true end
      end
      seen[log] = ids
    end
    local left = {}
    for j = from, to do
      if not ids[string.sub(argv[j], field(argv[j], 1))] then left[#left + 1] = argv[j] end
    end
    return left
  end

  -- head returns the epoch of a log, and how many events were taken from it; nil if no
  -- node has written it.
  local function head(log) return string.match(call('LINDEX', log, 0), '^(%d+) (%d+)$') end

  -- old reports whether an entry of a log is older than a log lasts.
  local function old(log, i)
    local entry = call('LINDEX', log, i)
    local _, ends = field(entry, 1)
    return tonumber(string.sub(entry, field(entry, ends + 1))) < NOW - keep
  end

  -- trim makes a log of so many events, to which some were added, shorter than it may
  -- be. That is not done for each event, unless it is so large that a few are too much.
  local function trim(log, events, added, entry)
    local due = events > most + 32 or events > added and ((events - 1) % 128 < added or #entry > large)
    if not due then return end
    local from, spare = 0, math.floor(math.min(128, most / 4))
    if events > most then from = events - most + spare end
    while from + 16 < events and old(log, from + 16) do from = from + 16 end
    local bytes = call('MEMORY', 'USAGE', log, 'SAMPLES', 0)
    if bytes > size then from = math.max(from, math.ceil(events * (1 - size * 7 / 8 / bytes))) end
    from = math.min(from, events - 1)
    if from == 0 then return end
    local epoch, taken = head(log)
    call('LTRIM', log, from + 1, -1)
    call('LPUSH', log, epoch .. ' ' .. string.format('%.0f', taken + from))
  end

  -- numbered returns entries as they are published with their epoch and offset: from
  -- one to another of a table.
  local function numbered(epoch, offset, entries, from, to)
    return table.concat({ 'b', epoch, ';', string.format('%.0f', offset), ';', table.concat(entries, '', from, to) })
  end

  -- server names the history of the data that this server has: another one begins
  -- with a failover, or a restart. It is 0 for a user who may not ask.
  local function server()
    local info = redis.pcall('INFO', 'replication')
    local id = type(info) == 'string' and string.match(info, 'master_replid:(%x+)') or '0'
    return string.format('%.0f', tonumber(string.sub(id, 1, 12), 16))
  end

  -- settled reports whether it is certain who has which topic: not before all nodes
  -- had the time to say so again, after Redis had lost it, or a failover may have lost
  -- the last of it. A node that is cut off is reaped, and may be back soon:
  -- scripts/reap.lua has it uncertain, too. The server is looked at last.
  local since, of = string.match(call('GET', keys[2]) or '', '^(%d+) ?(%d*)$')
  if not since then
    since, of = NOW, server()
    call('SET', keys[2], NOW .. ' ' .. of)
  end
  local settled = NOW - tonumber(since) > keep
  local function certain()
    local id = of and server()
    if id and id ~= of then
      call('SET', keys[2], NOW .. ' ' .. id)
      settled = false
    end
    of = nil
    return settled
  end

  -- begin publishes what begins a log, where anybody has the topic.
  local function begin(log, entries, from, to)
    call('DEL', log)
    local epoch, heard = string.format('%.0f', US), nil
    local message = numbered(epoch, 1, entries, from, to)
    if settled and call('HEXISTS', keys[3], string.sub(log, argv[9] + 1)) == 0 then
      heard = call('@PUBLISH@', log, message)
      if heard == 0 and certain() then return 0 end
    end
    call('RPUSH', log, epoch .. ' 0', unpack(entries, from, to))
    call('PEXPIRE', log, keep)
    return heard or call('@PUBLISH@', log, message)
  end

  local function append(log, entries, from, to, lasting)
    local added = to - from + 1
    local length = call('RPUSH', log, unpack(entries, from, to))
    if length == added then return begin(log, entries, from, to) end
    if lasting then call('PEXPIRE', log, keep) end
    local message = entries[from]
    local events = length - 1
    if added > 1 or (events - 1) % @NUMBERED@ == 0 or #message > large then
      local epoch, taken = head(log)
      if not epoch then return begin(log, entries, from, to) end
      message = numbered(epoch, taken + events - added + 1, entries, from, to)
      trim(log, events, added, message)
    end
    return call('@PUBLISH@', log, message)
  end

  -- cache keeps the last event of a cache channel, and returns its version: a time,
  -- so that it grows even when the last one has expired.
  local function cache(key, lasts, event, data)
    local v = string.format('%.0f', math.max(US, tonumber(call('HGET', key, 'v') or '0') + 1))
    call('HSET', key, 'v', v, 'e', event, 'd', data)
    call('PEXPIRE', key, lasts)
    return 'v' .. v
  end

  tools = { now = NOW, server = server, fresh = fresh, head = head, trim = trim, numbered = numbered, begin = begin, append = append, cache = cache }
  return tools
end

-- What may have been done on another server is not done on this one: those who have
-- heard it there heard it at another place among the events.
if argv[4] == '1' and slow().server() ~= argv[11] then return redis.error_reply('ELSEWHERE another server may have done it') end

local out = { 0, 0 }
if argv[5] == '1' then out[1], out[2] = slow().now, tonumber(tools.server()) end
local function result(group, heard)
  if heard == 0 then out[#out + 1] = group end
end

local k, i = 4, 12
for g = 1, #argv[10] do
  local kind, log = string.byte(argv[10], g), keys[k]
  k = k + 1
  if kind == 45 and argv[4] == '0' then
    local entry = argv[i]
    i = i + 1
    local length = call('RPUSH', log, entry)
    if length == 1 then
      result(g, slow().begin(log, argv, i - 1, i - 1))
    elseif (length - 2) % @NUMBERED@ ~= 0 and #entry <= large then
      if call('@PUBLISH@', log, entry) == 0 then result(g, 0) end
    else
      local epoch, taken = slow().head(log)
      if epoch then
        result(g, call('@PUBLISH@', log, tools.numbered(epoch, taken + length - 1, argv, i - 1, i - 1)))
        tools.trim(log, length - 1, 1, entry)
      else
        result(g, tools.begin(log, argv, i - 1, i - 1))
      end
    end
  else
    local n = 1
    if kind == 110 then
      n = tonumber(argv[i])
      i = i + 1
    end
    local entries, from, to = argv, i, i + n - 1
    i = i + n
    if argv[4] == '1' then
      entries = slow().fresh(log, from, to)
      from, to = 1, #entries
    end
    if kind == 99 then
      if to >= from then
        entries = { entries[from] .. slow().cache(keys[k], argv[i], argv[i + 1], argv[i + 2]) }
        from, to = 1, 1
      end
      k, i = k + 1, i + 3
    end
    if to >= from then result(g, slow().append(log, entries, from, to, kind ~= 45)) end
  end
end
return out
