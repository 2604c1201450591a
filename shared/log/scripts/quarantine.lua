-- Give a session up, but keep its log for operators to look at. KEYS: meta, in, steps, out, client.
-- ARGV: the names below; `ttl_s` is how long the log is kept.
-- Answers {"stored", ""}, {"fenced", its owner} or {"gone", ""}.
local ttl_s, owner = unpack(ARGV, 1, 2)
local newest_owner = redis.call('HGET', KEYS[1], 'owner')
if not newest_owner then return {'gone', ''} end
if newest_owner ~= owner then return {'fenced', newest_owner} end
redis.call('HSET', KEYS[1], 'state', 'poisoned', 'owner', '')
for i = 1, 5 do redis.call('EXPIRE', KEYS[i], ttl_s) end
return {'stored', ''}
