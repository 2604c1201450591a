-- Give a session up, but keep its log to be looked at. KEYS: meta, in, steps, out.
-- ARGV: seconds to keep it, owner.
-- Answers {"stored", ""}, {"fenced", its owner} or {"gone", ""}.
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return {'gone', ''} end
if owner ~= ARGV[2] then return {'fenced', owner} end
redis.call('HSET', KEYS[1], 'state', 'poisoned', 'owner', '')
for i = 1, 4 do redis.call('EXPIRE', KEYS[i], ARGV[1]) end
return {'stored', ''}
