-- Give a session back for another worker to claim. KEYS: meta. ARGV: the names below.
-- Answers {"stored", ""}, {"fenced", its owner} or {"gone", ""}.
local ttl_s, owner = unpack(ARGV, 1, 2)
local newest_owner = redis.call('HGET', KEYS[1], 'owner')
if not newest_owner then return {'gone', ''} end
if newest_owner ~= owner then return {'fenced', newest_owner} end
redis.call('HSET', KEYS[1], 'owner', '')
redis.call('EXPIRE', KEYS[1], ttl_s)
return {'stored', ''}
