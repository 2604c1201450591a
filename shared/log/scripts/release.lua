-- Give a session back for another worker to claim. KEYS: meta. ARGV: ttl seconds, owner.
-- Answers {"stored", ""}, {"fenced", its owner} or {"gone", ""}.
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return {'gone', ''} end
if owner ~= ARGV[2] then return {'fenced', owner} end
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'stored', ''}
