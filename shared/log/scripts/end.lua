-- Delete a session. KEYS: meta, in, steps, out.
-- ARGV: '' (any), or the field ('conn' or 'owner') and the value that must still hold.
-- One that was given up is kept until it expires, to be looked at.
-- Answers {"stored", ""}, {"fenced", the newer value} or {"gone", ""}.
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  return {'gone', ''}
end
if redis.call('HGET', KEYS[1], 'state') ~= 'live' then return {'gone', ''} end
if ARGV[1] ~= '' then
  local value = redis.call('HGET', KEYS[1], ARGV[1])
  if value ~= ARGV[2] then return {'fenced', value or ''} end
end
redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])
return {'stored', ''}
