-- Become a session's owner. KEYS: meta. ARGV: ttl seconds, the owner seen dead ('' for none),
-- worker, nonce. The nonce keeps an epoch that Redis rolled back from being shared.
-- Answers {"stored", owner}, {"fenced", its owner} when another was faster, {"gone", ""}.
local owner = redis.call('HGET', KEYS[1], 'owner')
if not owner then return {'gone', ''} end
if owner ~= ARGV[2] then return {'fenced', owner} end
local epoch = redis.call('HINCRBY', KEYS[1], 'owner_epoch', 1)
owner = string.format('%d:%s:%s', epoch, ARGV[3], ARGV[4])
redis.call('HSET', KEYS[1], 'owner', owner)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'stored', owner}
