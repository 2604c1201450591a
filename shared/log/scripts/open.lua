-- Make a new session's meta. KEYS: meta. ARGV: ttl seconds, connection, then field, value, ...
-- Answers {"stored", connection} or {"duplicate", its connection} when the id is taken.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {'duplicate', redis.call('HGET', KEYS[1], 'conn')}
end
redis.call('HSET', KEYS[1], 'state', 'live', 'owner', '', 'conn', ARGV[2],
  'n', 0, 'cursor', 0, 'k', 0, 'm', 0, 'f', 0, 'generation', 0, 'played', 0, 'samples', 0,
  unpack(ARGV, 3))
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'stored', ARGV[2]}
