-- Make a new session's meta. KEYS: meta.
-- ARGV: the names below, then the meta's own fields as field, value, field, value, ...
-- Answers {"stored", connection}, or {"duplicate", its connection} when the id is taken.
local ttl_s, conn = unpack(ARGV, 1, 2)
local before_fields = 2
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'duplicate', redis.call('HGET', KEYS[1], 'conn')}
end
redis.call('HSET', KEYS[1], 'state', 'live', 'owner', '', 'conn', conn,
  'n', 0, 'cursor', 0, 'k', 0, 'm', 0, 'f', 0, 'generation', 0, 'played', 0, 'samples', 0,
  unpack(ARGV, before_fields + 1))
redis.call('EXPIRE', KEYS[1], ttl_s)
return {'stored', conn}
