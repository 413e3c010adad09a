-- Writes down what has gone for longer than the grace: ARGV limit, and "+inf" for
-- all that has gone, or "".
local till = NOW
if ARGV[3] ~= '' then till = ARGV[3] end
local due = redis.call('ZRANGEBYSCORE', P .. ':due', '-inf', till, 'LIMIT', 0, ARGV[2])
for _, m in ipairs(due) do
  redis.call('ZREM', P .. ':due', m)
  local rest = string.sub(m, 2)
  if string.byte(m, 1) == 118 then
    write('vacated', rest, '')
  else
    local z = string.find(rest, NUL, string.find(rest, NUL, 1, true) + 1, true)
    write('removed', string.sub(rest, 1, z - 1), string.sub(rest, z + 1))
  end
end
return #due
