-- Move a session to a new connection, which replaces the older one. KEYS: meta.
-- ARGV: the names below.
-- Answers {"stored", connection}, {"fenced", ""} for a wrong resume token, {"poisoned", ""} for a
-- session that was given up, {"gone", ""}.
local ttl_s, token_hash, gateway, nonce = unpack(ARGV, 1, 4)
local token = redis.call('HGET', KEYS[1], 'token')
if not token then return {'gone', ''} end
if token ~= token_hash then return {'fenced', ''} end
if redis.call('HGET', KEYS[1], 'state') ~= 'live' then return {'poisoned', ''} end
local epoch = tonumber(string.match(redis.call('HGET', KEYS[1], 'conn'), '^(%d+):')) + 1
local conn = epoch .. ':' .. gateway .. ':' .. nonce
redis.call('HSET', KEYS[1], 'conn', conn)
redis.call('EXPIRE', KEYS[1], ttl_s)
return {'stored', conn}
