-- Delete a session. KEYS: meta, in, steps, out, client.
-- ARGV: the meta's field ('conn' or 'owner') that must still hold `value`; '' for any.
-- A session that was given up stays until it expires, for operators to look at.
-- Answers {"stored", ""}, {"fenced", the newer value} or {"gone", ""}.
local field, value = unpack(ARGV, 1, 2)
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
  return {'gone', ''}
end
if redis.call('HGET', KEYS[1], 'state') ~= 'live' then return {'gone', ''} end
if field ~= '' then
  local newest = redis.call('HGET', KEYS[1], field)
  if newest ~= value then return {'fenced', newest or ''} end
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return {'stored', ''}
