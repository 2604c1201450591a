-- A caller comes back: the newer connection wins. KEYS: meta.
-- ARGV: ttl seconds, hash of the resume token, gateway, nonce.
-- Answers {"stored", connection}, {"fenced", ""} for a wrong token, {"poisoned", ""} for a session
-- that was given up, {"gone", ""}.
local token = redis.call('HGET', KEYS[1], 'token')
if not token then return {'gone', ''} end
if token ~= ARGV[2] then return {'fenced', ''} end
if redis.call('HGET', KEYS[1], 'state') ~= 'live' then return {'poisoned', ''} end
local epoch = tonumber(string.match(redis.call('HGET', KEYS[1], 'conn'), '^(%d+):')) + 1
local conn = epoch .. ':' .. ARGV[3] .. ':' .. ARGV[4]
redis.call('HSET', KEYS[1], 'conn', conn)
redis.call('EXPIRE', KEYS[1], ARGV[1])
return {'stored', conn}
