-- Count that a session failed alone in the engine. KEYS: meta. ARGV: the names below.
-- The session is then on trial for `trial_steps`; strikes of an earlier trial do not count.
-- Answers {"stored", strikes}, {"poisoned", strikes} when the owner must give the session up,
-- {"fenced", its owner} or {"gone", ""}.
local ttl_s, owner, trial_steps, max_strikes = unpack(ARGV, 1, 4)
local meta = redis.call('HMGET', KEYS[1], 'owner', 'k', 'trial', 'strikes')
local newest_owner, k, trial = meta[1], tonumber(meta[2]), tonumber(meta[3] or '0')
if not newest_owner then return {'gone', ''} end
if newest_owner ~= owner then return {'fenced', newest_owner} end
local strikes = 1
if k < trial then strikes = tonumber(meta[4] or '0') + 1 end
redis.call('HSET', KEYS[1], 'trial', string.format('%d', k + tonumber(trial_steps)),
  'strikes', strikes)
redis.call('EXPIRE', KEYS[1], ttl_s)
local answer = 'stored'
if strikes >= tonumber(max_strikes) then answer = 'poisoned' end
return {answer, tostring(strikes)}
